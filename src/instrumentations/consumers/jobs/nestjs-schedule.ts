/**
 * Methods of NestJS that @nestjs/schedule runs: `@Cron`, `@Interval` and `@Timeout`.
 *
 * It logs what they throw, so that `cron`, which runs those of `@Cron`, never sees a failure: they count here alone.
 */
import type { Instrumentation } from '../../instrumentation';
import { patchMethod } from '../../patching/patch';
import { ConsumerSource, prototypeOf } from '../delivery';
import { countsAlready, observedHandler } from '../handler';
import { topicOfJob } from './topic';

interface Explorer {
  readonly metadataAccessor?: { getSchedulerName?(method: unknown): unknown };
  wrapFunctionInTryCatchBlocks(method: unknown, instance: unknown, ...rest: unknown[]): unknown;
}

const patchExports = (exported: unknown) =>
  patchExplorer(prototypeOf((exported as { ScheduleExplorer?: unknown }).ScheduleExplorer));

const source = new ConsumerSource(
  'nestjs-schedule',
  {
    '/dist/schedule.explorer.js': patchExports,
    // an ES module from 12 on, which CommonJS may require
    '/schedule/dist/index.js': patchExports,
  },
  patchExplorer,
  { 'nestjs-schedule': ({ ScheduleExplorer }) => patchExplorer(prototypeOf(ScheduleExplorer?.get())) },
);

export function createNestjsScheduleInstrumentation(): Instrumentation {
  return source;
}

function patchExplorer(prototype: object | undefined): void {
  if (!source.claims(prototype, 'wrapFunctionInTryCatchBlocks', 'explore')) return;
  patchMethod(prototype as Explorer, 'wrapFunctionInTryCatchBlocks', (wrap) => {
    return function (this: Explorer, method, instance, ...rest) {
      let observed = method;
      source.guarded(() => {
        const name = this.metadataAccessor?.getSchedulerName?.(method);
        const topic = topicOfJob(name, placeOf(method, instance as object));
        observed = observedHandler(source, method, () => topic);
      });
      const job = wrap.call(this, observed, instance, ...rest);
      countsAlready(job);
      return job;
    };
  });
}

/** @returns such as `Reports.nightly`: what other decorators put in a method's place may have lost its name */
function placeOf(method: unknown, instance: object): string {
  for (let holder = instance; holder !== null; holder = Object.getPrototypeOf(holder)) {
    const entries = Object.entries(Object.getOwnPropertyDescriptors(holder));
    const key = entries.find(([, { value }]) => value === method)?.[0];
    if (key !== undefined) return `${instance.constructor.name}.${key}`;
  }
  return instance.constructor.name;
}
