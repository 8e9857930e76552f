/**
 * Jobs of node-cron 3 and 4: one run, one message.
 *
 * A task in a file runs in a process of its own, which node-cron starts with the arguments of this one: with node-cron 4
 * it counts there, if the preload is among them. node-cron 3 makes such a task past its public functions, and keeps
 * neither its name nor its expression: it is not measured.
 */
import type { Instrumentation } from '../../instrumentation';
import { patchMethod } from '../../patching/patch';
import { ConsumerSource, hasMethods, prototypeOf } from '../delivery';
import { observedHandler } from '../handler';
import { topicOfJob } from './topic';

type Method = (this: unknown, ...args: unknown[]) => unknown;

/** A task of node-cron 4. */
interface Task {
  readonly id?: unknown;
  readonly name?: unknown;
  readonly cronExpression?: unknown;
  readonly runner?: { onMatch?: unknown };
}

interface Exports3 {
  schedule: Method;
}

/** What node-cron 3 names a task that has no name, anew at each start. */
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

const source = new ConsumerSource(
  'node-cron',
  {
    '/src/node-cron.js': patchExports3,
    '/tasks/inline-scheduled-task.js': patchExports4,
    // from 4.3 on
    '/node-cron/dist/_shared.cjs': patchExports4,
  },
  patchTask,
  { 'node-cron': ({ InlineScheduledTask }) => patchTask(prototypeOf(InlineScheduledTask?.get())) },
);

export function createNodeCronInstrumentation(): Instrumentation {
  return source;
}

function patchExports4(exported: unknown): void {
  patchTask(prototypeOf((exported as { InlineScheduledTask?: unknown }).InlineScheduledTask));
}

/** A task is given its function by its constructor, which cannot be patched; it runs it after one of these. */
function patchTask(prototype: object | undefined): void {
  if (!source.claims(prototype, 'start', 'execute', 'createContext')) return;
  for (const name of ['start', 'execute'] as const) {
    patchMethod(prototype as Record<typeof name, Method>, name, (begin) => {
      return function (this: Task, ...args) {
        source.guarded(() => observeTask(this));
        return begin.apply(this, args);
      };
    });
  }
}

function observeTask(task: Task): void {
  if (task.runner === undefined) return;
  // without a name of its own it has that of its random id
  const topic = topicOfJob(task.name === task.id ? undefined : task.name, task.cronExpression);
  task.runner.onMatch = observedHandler(source, task.runner.onMatch, () => topic);
}

/** A task of node-cron 3 may run while it is made, and does not keep its expression. */
function patchExports3(exported: unknown): void {
  if (hasMethods(exported, 'createTask') || !source.claims(exported, 'schedule', 'validate', 'getTasks')) return;
  patchMethod(exported as Exports3, 'schedule', (schedule) => {
    return function (this: unknown, expression, job, options, ...rest) {
      let observed = job;
      source.guarded(() => {
        const name = (options as { name?: unknown } | undefined)?.name;
        const topic = topicOfJob(UUID.test(String(name)) ? undefined : name, expression);
        observed = observedHandler(source, job, () => topic);
      });
      return schedule.call(this, expression, observed, options, ...rest);
    };
  });
}
