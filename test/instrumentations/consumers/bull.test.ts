/** Jobs of Bull 4, with a real Redis. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import Bull from 'bull';
import { type Broker, startRedis } from '../../support/brokers';
import { outcomeIs, runConsumer } from '../../support/consumers';
import { until } from '../../support/waiting';

const APP = 'test/fixtures/apps/bull.js';

interface State {
  completed: number;
  failed: number;
}

describe('jobs of Bull', () => {
  let broker: Broker;
  before(async () => {
    broker = await startRedis();
  });
  after(() => broker?.stop());

  const open = (topic: string) => new Bull(topic, { redis: { host: '127.0.0.1', port: broker.port } });
  const run = (topic: string, processor: string) =>
    runConsumer(APP, { env: { REDIS_PORT: `${broker.port}`, BULL_QUEUE: topic, BULL_PROCESSOR: processor } });

  for (const [processor, jobs] of [
    ['function', 500],
    ['callback', 500],
    ['file', 20],
  ] as const) {
    it(`each attempt counts once, as Redis has it: the processor is a ${processor}`, async () => {
      const topic = `jobs-${processor}`;
      const queue = open(topic);
      const app = await run(topic, processor);
      try {
        const names = Array.from({ length: jobs }, (_, i) => (i % 10 < 3 ? 'throw' : 'pass'));
        await queue.addBulk(names.map((name) => ({ name, data: {}, opts: { attempts: 2 } })));
        await until(async () => (await queue.getCompletedCount()) === jobs, 'every job is completed', 30_000);
        const failure = names.filter((name) => name === 'throw').length;
        await outcomeIs(app, topic, { success: jobs, failure });
        const state = await app.command<State>('state');
        assert.deepEqual([state.completed, state.failed], [jobs, failure]);
      } finally {
        await app.stop();
        await queue.close();
      }
    });
  }

  it('each run of a repeatable job counts once, under the name of its queue', async () => {
    const topic = 'repeated';
    const queue = open(topic);
    const app = await run(topic, 'function');
    try {
      const repeat = { every: 200 };
      await queue.add('pass', {}, { repeat });
      await until(async () => (await queue.getCompletedCount()) >= 3, 'it has run three times');
      await queue.removeRepeatable('pass', repeat);
      const isIdle = async () => (await queue.getActiveCount()) + (await queue.getWaitingCount()) === 0;
      await until(isIdle, 'nothing is left to do');
      await outcomeIs(app, topic, { success: await queue.getCompletedCount(), failure: 0 });
    } finally {
      await app.stop();
      await queue.close();
    }
  });
});
