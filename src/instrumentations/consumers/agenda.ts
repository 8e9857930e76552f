/**
 * Jobs of Agenda 6: one run of a job's function, one message, whichever storage it has. A job that runs in a process of
 * its own counts there, if the preload is among the arguments of that process.
 */

import type { Instrumentation } from '../instrumentation';
import { patchMethod } from '../patching/patch';
import { ConsumerSource, followHandler, handlerDecides, prototypeOf } from './delivery';

interface Job {
  readonly attrs?: { readonly name?: unknown };
  runJob(...args: unknown[]): unknown;
}

const source = new ConsumerSource(
  'agenda',
  {
    // an ES module, which CommonJS may require
    '/agenda/dist/index.js': (exported) => patchJob(prototypeOf((exported as { Job?: unknown }).Job)),
  },
  patchJob,
  { agenda: ({ Job }) => patchJob(prototypeOf(Job?.get())) },
);

export function createAgendaInstrumentation(): Instrumentation {
  return source;
}

function patchJob(prototype: object | undefined): void {
  if (!source.claims(prototype, 'runJob', 'run', 'repeatEvery')) return;
  patchMethod(prototype as Job, 'runJob', (runJob) => {
    return function (this: Job, ...args) {
      const run = () => runJob.apply(this, args);
      const delivery = source.deliver(String(this.attrs?.name));
      return delivery === undefined ? run() : followHandler(handlerDecides(delivery), run);
    };
  });
}
