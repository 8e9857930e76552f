/**
 * Jobs of BullMQ 5 and 6, as its Worker hands them to the processor: one attempt, one message.
 *
 * A processor in a file runs in a process or thread of its own; the Worker's side of it is measured here, so that its
 * job counts once, in the process that has the Worker. Jobs fetched by `getNextJob` are not measured.
 */

import type { Instrumentation } from '../instrumentation';
import { patchMethod } from '../patching/patch';
import { ConsumerSource, followHandler, handlerDecides } from './delivery';

type Process = (...args: unknown[]) => unknown;

interface Worker {
  readonly name?: unknown;
  callProcessJob: Process;
}

const source = new ConsumerSource('bullmq', { '/dist/cjs/classes/worker.js': patchFile }, patchWorker);

export function createBullmqInstrumentation(): Instrumentation {
  return source;
}

function patchFile(exported: unknown): void {
  patchWorker((exported as { Worker?: { prototype?: object } }).Worker?.prototype);
}

function patchWorker(prototype: object | undefined): void {
  if (!source.claims(prototype, 'callProcessJob', 'processJob', 'getNextJob')) return;
  // the client awaits what this gives, in a block that takes an exception as the failure of the job
  patchMethod(prototype as Worker, 'callProcessJob', (process: Process) => {
    return function (this: Worker, ...args) {
      const run = () => process.apply(this, args);
      const delivery = source.deliver(String(this.name));
      return delivery === undefined ? run() : followHandler(handlerDecides(delivery), run);
    };
  });
}
