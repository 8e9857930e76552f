import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Queue } from 'bullmq';
import { Queue as Queue5 } from 'bullmq5';
import { type Broker, startRedis } from '../../support/brokers';
import { outcome, outcomeIs, runConsumer } from '../../support/consumers';
import { until } from '../../support/waiting';

const APP = 'test/fixtures/apps/bullmq.js';

interface State {
  completed: number;
  failed: number;
  errors: number;
}

const WORKERS = [
  { name: 'BullMQ 6', module: 'bullmq', processor: 'function', jobs: 2_000 },
  { name: 'BullMQ 5', module: 'bullmq5', processor: 'function', jobs: 2_000 },
  { name: 'BullMQ 6 with the processor in a file', module: 'bullmq', processor: 'file', jobs: 100 },
];

describe('jobs of BullMQ', () => {
  let broker: Broker;
  let connection: { host: string; port: number; maxRetriesPerRequest: null };
  before(async () => {
    broker = await startRedis();
    connection = { host: '127.0.0.1', port: broker.port, maxRetriesPerRequest: null };
  });
  after(() => broker?.stop());

  /** @returns how many of the jobs fail at their first attempt */
  async function publish(queue: Queue | Queue5, jobs: number): Promise<number> {
    const names = Array.from({ length: jobs }, () => (Math.random() < 0.3 ? 'throw' : 'pass'));
    for (let start = 0; start < jobs; start += 200) {
      const batch = names.slice(start, start + 200);
      await queue.addBulk(batch.map((name) => ({ name, data: {}, opts: { attempts: 2 } })));
    }
    return names.filter((name) => name === 'throw').length;
  }

  for (const { name, module, processor, jobs } of WORKERS) {
    it(`each attempt of ${name} counts once, as Redis has it`, async () => {
      const topic = `jobs-${module}-${processor}`;
      const queue = module === 'bullmq' ? new Queue(topic, { connection }) : new Queue5(topic, { connection });
      const app = await runConsumer(APP, {
        env: { REDIS_PORT: `${broker.port}`, BULL_QUEUE: topic, BULL_MODULE: module, BULL_PROCESSOR: processor },
      });
      try {
        const failures = await publish(queue, jobs);
        await until(async () => (await queue.getCompletedCount()) === jobs, 'every job is completed', 30_000);
        await outcomeIs(app, topic, { success: jobs, failure: failures });
        const state = await app.command<State>('state');
        assert.deepEqual([state.completed, state.failed], [jobs, failures]);
      } finally {
        await app.stop();
        await queue.close();
      }
    });
  }

  for (const module of ['bullmq', 'bullmq5'] as const) {
    it(`each run of a job that ${module} repeats counts once, under the name of its queue`, async () => {
      const topic = `repeated-${module}`;
      const queue = module === 'bullmq' ? new Queue(topic, { connection }) : new Queue5(topic, { connection });
      const app = await runConsumer(APP, {
        env: { REDIS_PORT: `${broker.port}`, BULL_QUEUE: topic, BULL_MODULE: module },
      });
      try {
        await queue.upsertJobScheduler('nightly', { every: 200 }, { name: 'pass' });
        await until(async () => (await queue.getCompletedCount()) >= 3, 'it has run three times');
        await queue.removeJobScheduler('nightly');
        const isIdle = async () => (await queue.getActiveCount()) + (await queue.getWaitingCount()) === 0;
        await until(isIdle, 'nothing is left to do');
        await outcomeIs(app, topic, { success: await queue.getCompletedCount(), failure: 0 });
      } finally {
        await app.stop();
        await queue.close();
      }
    });
  }

  it('a Redis that is killed in mid-flight: the worker comes back by itself, and each attempt counts once', async () => {
    const own = await startRedis();
    const topic = 'lost';
    const options = { connection: { host: '127.0.0.1', port: own.port, maxRetriesPerRequest: null } };
    const queue = new Queue(topic, options);
    queue.on('error', () => undefined);
    const app = await runConsumer(APP, { env: { REDIS_PORT: `${own.port}`, BULL_QUEUE: topic } });
    try {
      await publish(queue, 2_000);
      await app.metricsWhen((metrics) => outcome(metrics, topic).success > 100);
      await own.kill();
      await until(async () => (await app.command<State>('state')).errors > 0, 'the worker has lost Redis');
      await own.start();
      const all = async () => (await queue.getCompletedCount()) === 2_000;
      await until(all, 'every job is completed', 30_000);
      const { success, failure } = outcome(await app.metrics(), topic);
      assert.ok(success >= 2_000, `each job has succeeded: ${success}`);
      assert.ok(failure > 0, `first attempts have failed: ${failure}`);
    } finally {
      await app.stop();
      await queue.close();
      await own.stop();
    }
  });
});
