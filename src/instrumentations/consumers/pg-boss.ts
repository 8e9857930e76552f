/**
 * Jobs of pg-boss 11 and 12, as they are handed to the function given to `work()`: one call, one message, which is a batch
 * where `batchSize` is greater than one. Runs of a schedule are jobs like others. Jobs fetched by `fetch()` are not measured.
 */

import type { Instrumentation } from '../instrumentation';
import { patchMethod } from '../patching/patch';
import { ConsumerSource, prototypeOf } from './delivery';
import { observedHandler } from './handler';

interface Manager {
  work(...args: unknown[]): unknown;
}

/** Queues by which pg-boss sends itself what is due. */
const INTERNAL = '__pgboss__';

const patchClass = (exported: unknown) => patchManager(prototypeOf(exported));

const source = new ConsumerSource(
  'pg-boss',
  {
    '/src/manager.js': patchClass,
    // an ES module from 12 on, which CommonJS may require
    '/pg-boss/dist/index.js': (exported) => patchClass((exported as { PgBoss?: unknown }).PgBoss),
  },
  patchManager,
  { 'pg-boss': ({ PgBoss }) => patchClass(PgBoss?.get()) },
);

export function createPgBossInstrumentation(): Instrumentation {
  return source;
}

function patchManager(prototype: object | undefined): void {
  if (!source.claims(prototype, 'work', 'offWork', 'fetch')) return;
  patchMethod(prototype as Manager, 'work', (work) => {
    return function (this: unknown, name, ...args) {
      if (typeof name !== 'string' || name.startsWith(INTERNAL)) return work.call(this, name, ...args);
      return work.call(this, name, ...args.map((arg) => observedHandler(source, arg, () => name)));
    };
  });
}
