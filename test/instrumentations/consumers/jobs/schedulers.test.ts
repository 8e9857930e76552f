/** Jobs that run in this process at their times: each is compared with what it has counted itself. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type ConsumerApp, outcome, outcomeIs, runConsumer } from '../../../support/consumers';
import { IS_FULL } from '../../../support/effort';
import { FIXTURES } from '../../../support/paths';
import { freePort, until } from '../../../support/waiting';

interface Runs {
  readonly begun: number;
  readonly success: number;
  readonly failure: number;
  /** Most of them at one time. */
  readonly most: number;
}

interface Report {
  readonly runs: Readonly<Record<string, Runs>>;
  /** What a job has as `this` and gets as arguments. */
  readonly seen: Readonly<Record<string, readonly string[]>>;
  /** Messages of the errors that the scheduler has handed to the application. */
  readonly handled: readonly string[];
}

interface Scheduler {
  readonly title: string;
  /** The program, and what it is given to load. */
  readonly args: readonly string[];
  /** What its errors become, beside a failure that is counted. */
  readonly handled: readonly string[];
  /** Topic of the job that has no name. */
  readonly nameless?: string;
  /** Whether it knows no names of jobs. */
  readonly hasNoNames?: true;
  /** In which module system it runs when not all is run. */
  readonly short?: 'CommonJS' | 'an ES module';
}

const ERRORS = ['rejected', 'thrown'];
const NEST = ['@nestjs/common', '@nestjs/core'];
const SCHEDULERS: readonly Scheduler[] = [
  { title: 'node-cron 4', args: ['node-cron', 'node-cron'], handled: ERRORS, short: 'CommonJS' },
  { title: 'node-cron 4.2', args: ['node-cron', 'node-cron42'], handled: ERRORS },
  { title: 'node-cron 3', args: ['node-cron', 'node-cron3'], handled: [] },
  { title: 'croner 11', args: ['croner', 'croner'], handled: ERRORS, short: 'an ES module' },
  { title: 'croner 9', args: ['croner', 'croner9'], handled: ERRORS },
  { title: 'cron 4', args: ['cron', 'cron'], handled: ERRORS, short: 'CommonJS' },
  { title: 'cron 3', args: ['cron', 'cron3'], handled: ERRORS, hasNoNames: true },
  {
    title: '@nestjs/schedule 12',
    args: ['nest', ...NEST, '@nestjs/schedule'],
    handled: ERRORS,
    nameless: 'Reports.job1',
    short: 'an ES module',
  },
  {
    title: '@nestjs/schedule 6',
    args: ['nest', ...NEST, 'nest-schedule6'],
    handled: ERRORS,
    nameless: 'Reports.job1',
  },
];
const MODULES = [
  { system: 'CommonJS', script: 'test/fixtures/jobs/cjs.js' },
  { system: 'an ES module', script: 'test/fixtures/jobs/esm.mjs' },
];
const NAMES: Readonly<Record<string, string>> = {
  rejects: '* * * * 1-12 *',
  passes: '* * * * * *',
  overlaps: '* * * 1-31 * *',
  hangs: '* * 0-23 * * *',
};
const NAMELESS = '*/1 * * * * *';

/** Lets the jobs run for two seconds and those that end come to their end. */
async function reportOf(app: ConsumerApp): Promise<Report> {
  const isThere = ({ runs }: Report) =>
    Object.values(runs).every(({ begun }) => begun > 0) && (runs.overlaps?.begun ?? 0) > 1;
  await until(async () => isThere(await app.command<Report>('state')), 'each job has run');
  return app.command<Report>('stop');
}

describe(`runs of jobs${IS_FULL ? '' : ' (each scheduler in one module system; in both with TEST_FULL=1)'}`, {
  concurrency: 4,
}, () => {
  for (const { title, args, handled, nameless = NAMELESS, hasNoNames, short } of SCHEDULERS) {
    for (const { system, script } of MODULES.filter((each) => IS_FULL || each.system === short)) {
      it(`of ${title} in ${system} count once each, by their end, and its errors go where they went`, async () => {
        const [app, plain] = await Promise.all([
          runConsumer(script, { args }),
          runConsumer(script, { args, nodeArgs: [] }),
        ]);
        try {
          const [report, expected] = await Promise.all([reportOf(app), reportOf(plain)]);
          assert.deepEqual(report.seen, expected.seen);
          assert.deepEqual([report.handled, expected.handled], [handled, handled]);
          assert.ok((report.runs.overlaps?.most ?? 0) > 1, 'runs overlap');
          assert.equal(report.runs.hangs?.success, 0);
          const topicOf = (name: string) => (hasNoNames ? (NAMES[name] ?? name) : name);
          for (const [name, { success, failure }] of Object.entries(report.runs)) {
            const topic = name === NAMELESS ? nameless : topicOf(name);
            await outcomeIs(app, topic, { success, failure });
          }
        } finally {
          await Promise.all([app.stop(), plain.stop()]);
        }
      });
    }
  }

  it('of node-cron 4 whose function is in a file count once, in the process that runs it', async () => {
    const env = { CHANNEL_EXPORTER_PORT: String(await freePort()) };
    const app = await runConsumer(join(FIXTURES, 'jobs/file-task.js'), { env });
    try {
      const finished = () => Number(/finished (\d+)\n$/.exec(app.stdout())?.[1] ?? 0);
      await until(() => finished() >= 2, app.stderr);
      const metrics = await app.metricsWhen((now) => outcome(now, 'in a file').success >= 2);
      const { success, failure } = outcome(metrics, 'in a file');
      assert.equal(failure, 0);
      assert.ok(success <= finished() + 1, `${success} of ${finished()}`);
    } finally {
      await app.stop();
    }
  });
});
