/** Jobs of croner 9 to 11: one run, one message. */

import type { Instrumentation } from '../../instrumentation';
import { patchMethod } from '../../patching/patch';
import { ConsumerSource, prototypeOf } from '../delivery';
import { observedHandler } from '../handler';
import { topicOfJob } from './topic';

interface Cron {
  readonly name?: unknown;
  fn?: unknown;
  schedule(job?: unknown, ...rest: unknown[]): unknown;
  getPattern(): unknown;
}

const source = new ConsumerSource(
  'croner',
  { '/dist/croner.cjs': (exported) => patchCron(prototypeOf((exported as { Cron?: unknown }).Cron)) },
  patchCron,
  { croner: ({ Cron }) => patchCron(prototypeOf(Cron?.get())) },
);

export function createCronerInstrumentation(): Instrumentation {
  return source;
}

/** The constructor sets the job and schedules it; a job that it was not given comes as an argument. */
function patchCron(prototype: object | undefined): void {
  if (!source.claims(prototype, 'schedule', 'trigger', 'getPattern')) return;
  patchMethod(prototype as Cron, 'schedule', (schedule) => {
    return function (this: Cron, job, ...rest) {
      let observed = job;
      source.guarded(() => {
        const topic = topicOfJob(this.name, this.getPattern());
        if (this.fn === undefined) observed = observedHandler(source, job, () => topic);
        else this.fn = observedHandler(source, this.fn, () => topic);
      });
      return schedule.call(this, observed, ...rest);
    };
  });
}
