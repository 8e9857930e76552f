/** Jobs that PostgreSQL keeps: those of pg-boss and of Agenda, with a real server. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Postgres, startPostgres } from '../../../support/brokers';
import { type Outcome, outcomeIs, runConsumer } from '../../../support/consumers';
import { until } from '../../../support/waiting';

interface BossState {
  readonly state: Readonly<Record<'single' | 'batches', Outcome>>;
  /** Of the database: queue, state and number. */
  readonly jobs: readonly string[];
  readonly errors: readonly string[];
}

/** Runs that Agenda has reported, by the name of the job. */
type AgendaState = Readonly<Record<'success' | 'failure', Readonly<Record<string, number>>>>;

const MODULES = [
  { system: 'CommonJS', script: 'test/fixtures/jobs/cjs.js' },
  { system: 'an ES module', script: 'test/fixtures/jobs/esm.mjs' },
];

describe('jobs that PostgreSQL keeps', () => {
  let server: Postgres;
  let databases = 0;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server?.stop());

  const run = (script: string, args: readonly string[]) => {
    const database = `jobs${++databases}`;
    server.create(database);
    return runConsumer(script, { args, env: { PG_PORT: `${server.port}`, PG_DATABASE: database } });
  };

  for (const { system, script } of MODULES) {
    for (const [title, module] of [
      ['pg-boss 12', 'pg-boss'],
      ['pg-boss 11', 'pgboss11'],
    ] as const) {
      it(`of ${title} in ${system} count once for each call of their function`, async () => {
        const app = await run(script, ['pg-boss', module]);
        try {
          const isDone = ({ jobs }: BossState) => jobs.every((row) => /completed|failed/.test(row));
          await until(async () => isDone(await app.command<BossState>('state')), 'every job is done');
          const { state, jobs, errors } = await app.command<BossState>('state');
          // one in four fails, and with it its batch
          assert.deepEqual(state.single, { success: 9, failure: 3 });
          assert.deepEqual(jobs.slice(-2), ['single completed 9', 'single failed 3']);
          assert.ok(
            state.batches.failure > 0 && state.batches.failure + state.batches.success < 12,
            'there are batches',
          );
          assert.deepEqual(errors, []);
          await outcomeIs(app, 'single', state.single);
          await outcomeIs(app, 'batches', state.batches);
        } finally {
          await app.stop();
        }
      });
    }

    it(`of Agenda 6 in ${system} count once for each run, under their names`, async () => {
      const app = await run(script, ['agenda', 'agenda', '@agendajs/postgres-backend']);
      try {
        const sum = ({ success, failure }: AgendaState) =>
          Object.values({ ...success, ...failure }).reduce((all, count) => all + count, 0);
        const isDone = (state: AgendaState) => sum(state) >= 14 && (state.success.nightly ?? 0) >= 2;
        await until(async () => isDone(await app.command<AgendaState>('state')), 'every job has run');
        const { success, failure } = await app.command<AgendaState>('stop');
        assert.deepEqual(failure, { throws: 3, 'calls back with an error': 3 });
        assert.deepEqual({ ...success, nightly: 0 }, { passes: 3, 'calls back': 3, nightly: 0 });
        for (const [topic, count] of Object.entries(success))
          await outcomeIs(app, topic, { success: count, failure: 0 });
        for (const [topic, count] of Object.entries(failure))
          await outcomeIs(app, topic, { success: 0, failure: count });
      } finally {
        await app.stop();
      }
    });
  }
});
