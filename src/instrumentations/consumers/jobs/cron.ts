/** Jobs of cron 3 and 4: one run of a function that a job has, one message. */

import type { Instrumentation } from '../../instrumentation';
import { patchMethod } from '../../patching/patch';
import { ConsumerSource, prototypeOf } from '../delivery';
import { observedHandler } from '../handler';
import { topicOfJob } from './topic';

interface CronJob {
  readonly name?: unknown;
  readonly cronTime?: { readonly source?: unknown };
  addCallback(callback: unknown, ...rest: unknown[]): unknown;
}

const source = new ConsumerSource(
  'cron',
  { '/dist/job.js': (exported) => patchJob(prototypeOf((exported as { CronJob?: unknown }).CronJob)) },
  patchJob,
);

export function createCronInstrumentation(): Instrumentation {
  return source;
}

/** By it the constructor too gives a job its function. */
function patchJob(prototype: object | undefined): void {
  if (!source.claims(prototype, 'addCallback', 'fireOnTick')) return;
  patchMethod(prototype as CronJob, 'addCallback', (add) => {
    return function (this: CronJob, callback, ...rest) {
      let observed = callback;
      source.guarded(() => {
        // at each run: setTime() gives a job another schedule
        observed = observedHandler(source, callback, () => topicOfJob(this.name, this.cronTime?.source));
      });
      return add.call(this, observed, ...rest);
    };
  });
}
