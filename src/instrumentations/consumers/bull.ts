/**
 * Jobs of Bull 4, as the queue hands them to a processor: one attempt, one message.
 *
 * A processor in a file runs in a process of its own; the queue's side of it is measured here, so that its job counts
 * once, in the process that has the queue. Jobs fetched by `getNextJob` are not measured.
 */

import type { Instrumentation } from '../instrumentation';
import { patchMethod } from '../patching/patch';
import { ConsumerSource, prototypeOf } from './delivery';
import { observedHandler } from './handler';

interface Queue {
  readonly name?: unknown;
  readonly handlers: Record<string, unknown>;
  setHandler(name: string, ...rest: unknown[]): unknown;
}

const source = new ConsumerSource(
  'bull',
  { '/bull/lib/queue.js': (exported) => patchQueue(prototypeOf(exported)) },
  patchQueue,
);

export function createBullInstrumentation(): Instrumentation {
  return source;
}

/** What it has stored gives a promise, whatever it was given: a function with or without callback, or a file. */
function patchQueue(prototype: object | undefined): void {
  if (!source.claims(prototype, 'setHandler', 'processJob', 'getNextJob')) return;
  patchMethod(prototype as Queue, 'setHandler', (setHandler) => {
    return function (this: Queue, name, ...rest) {
      const result = setHandler.call(this, name, ...rest);
      source.guarded(() => {
        this.handlers[name] = observedHandler(source, this.handlers[name], () => String(this.name));
      });
      return result;
    };
  });
}
