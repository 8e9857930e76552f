/** Entries of Redis' streams, which are measured by `consume` around what handles them, as docs/consumers.md shows. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Redis } from 'ioredis';
import { type Broker, startRedis } from '../../support/brokers';
import { outcomeIs, runConsumer } from '../../support/consumers';
import { reportNotRun } from '../../support/debian';
import { IS_FULL } from '../../support/effort';
import { installPackages } from '../../support/installed';
import { ROOT } from '../../support/paths';

const ENTRIES = 600;
/** One entry in so many fails when it comes first. */
const FAILS_EVERY = 20;

/** The second is 12 MB, and installed with TEST_FULL=1 alone. */
const CLIENTS = IS_FULL ? ['ioredis', 'node-redis'] : ['ioredis'];

describe("entries of Redis' streams", () => {
  let broker: Broker;
  let redis: Redis;
  before(async () => {
    broker = await startRedis();
    redis = new Redis({ port: broker.port });
  });
  after(async () => {
    redis?.disconnect();
    await broker?.stop();
  });

  for (const client of CLIENTS) {
    it(`${client}: a worker counts for each entry that it is given, and for one that is claimed again`, async (test) => {
      const installed = client === 'node-redis' ? installPackages('@redis/client@6.3.1') : { folder: ROOT };
      if ('missing' in installed) return reportNotRun(test, installed.missing);
      const module = join(installed.folder, 'node_modules', client === 'ioredis' ? 'ioredis' : '@redis/client');
      const stream = `orders-${client}`;
      const batch = redis.pipeline();
      for (let index = 0; index < ENTRIES; index++) {
        const text = index % FAILS_EVERY === 0 ? 'throw' : ['pass', 'late'][index % 2];
        batch.xadd(stream, '*', 'text', text as string);
      }
      await batch.exec();
      const app = await runConsumer('test/fixtures/apps/redis-streams.js', {
        env: { REDIS_PORT: `${broker.port}`, REDIS_STREAM: stream, REDIS_CLIENT: client, REDIS_MODULE: module },
      });
      try {
        await outcomeIs(app, stream, { success: ENTRIES, failure: ENTRIES / FAILS_EVERY });
        const [pending] = (await redis.xpending(stream, 'billing')) as [number];
        assert.equal(pending, 0, 'what was counted as handled is acknowledged');
      } finally {
        await app.stop();
      }
    });
  }
});
