/** Clients that pipeline: what their requests cost the exporter must not depend on how many wait beside them. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type App, INNER, runApp } from '../../support/app';
import { FIXTURES } from '../../support/paths';
import { get, open, withoutDate } from '../../support/raw-http';
import { until } from '../../support/waiting';

const PRELOAD = ['-r', 'channel-exporter/register'];
const REQUESTS = 1_000;
const TIMES = 4;
const ANSWER = /HTTP\/1\.1 200 OK/g;

interface Outcome {
  readonly answers: string;
  /** Runs of all blocks of the exporter's code between the first request and the last answer. */
  readonly blocks: number;
  /** Requests that the scrape counts. */
  readonly counted: number;
}

describe('requests pipelined behind a slow one', () => {
  test('cost the exporter the same each, however many they are', async () => {
    const few = await pipeline(REQUESTS, PRELOAD);
    const many = await pipeline(REQUESTS * TIMES, PRELOAD);
    assert.ok(few.blocks > REQUESTS, `only ${few.blocks} blocks were counted`);
    const growth = many.blocks / few.blocks;
    assert.ok(growth < TIMES * 1.25, `${TIMES} times as many requests ran ${growth.toFixed(1)} times as many blocks`);
    assert.deepEqual([few.counted, many.counted], [REQUESTS, REQUESTS * TIMES]);
  });

  test('are answered as without the exporter', async () => {
    const bare = await pipeline(REQUESTS, []);
    const observed = await pipeline(REQUESTS, PRELOAD);
    assert.equal(bare.answers.match(ANSWER)?.length, REQUESTS);
    assert.equal(observed.answers, bare.answers);
  });
});

async function pipeline(requests: number, nodeArgs: readonly string[]): Promise<Outcome> {
  const app = await runApp(join(FIXTURES, 'hostile/pipelining.js'), { args: [String(requests)], nodeArgs });
  try {
    const socket = await open(app.port);
    const received: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => received.push(chunk));
    socket.write(Buffer.concat(Array(requests).fill(get('/held', { Connection: 'keep-alive' }))));
    await until(() => /^blocks \d+$/m.test(app.stdout()), 'the requests were not answered');
    await until(
      () => Buffer.concat(received).toString().match(ANSWER)?.length === requests,
      'the answers did not arrive',
    );
    const blocks = Number(/^blocks (\d+)$/m.exec(app.stdout())?.[1]);
    const counted = nodeArgs.length === 0 ? 0 : await countRequests(app);
    return { answers: withoutDate(Buffer.concat(received)), blocks, counted };
  } finally {
    await app.stop();
  }
}

async function countRequests(app: App): Promise<number> {
  const counts = (await app.metrics()).counts(INNER);
  return counts.reduce((sum, { count }) => sum + count, 0);
}
