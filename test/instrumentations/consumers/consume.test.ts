import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { consume } from 'channel-exporter';
import { type Outcome, outcome, runConsumer } from '../../support/consumers';
import { until } from '../../support/waiting';

const APP = 'test/fixtures/apps/worker.js';
const SUCCESSES = [
  'nothing',
  'zero',
  'async nothing',
  'async zero',
  'cancellable',
  'lazy nothing',
  // promises that cannot be followed: the worker has returned without an error
  'cannot be derived from',
  'has its own then',
  'rejects with its own then',
];
const FAILURES = [
  'true',
  'null',
  'one',
  'text',
  'throws',
  'async value',
  'async throws',
  'arguments',
  'lazy value',
  'lazy throws',
];

/** What the program counts under each topic when it runs every worker once. */
const EXPECTED: readonly (readonly [string, Outcome])[] = [
  ...SUCCESSES.map((topic) => [topic, { success: 1, failure: 0 }] as const),
  ...FAILURES.map((topic) => [topic, { success: 0, failure: 1 }] as const),
];

describe('consume(topic, worker)', () => {
  it('counts undefined and 0 as success, anything else as failure, and the caller sees the worker itself', async () => {
    const app = await runConsumer(APP);
    try {
      assert.deepEqual(await app.command('compare'), []);
      assert.equal(await app.command('properties'), 3);
      const metrics = await app.metrics();
      for (const [topic, expected] of EXPECTED) assert.deepEqual(outcome(metrics, topic), expected, topic);
    } finally {
      await app.stop();
    }
  });

  it('measures nothing before start() and after shutdown, and the worker works all the same', async () => {
    const app = await runConsumer(APP, { nodeArgs: [] });
    try {
      assert.deepEqual(await app.command('compare'), []);
      for (const round of [1, 2]) {
        await app.command('start');
        assert.deepEqual(await app.command('compare'), []);
        await until(() => app.stderr().split('/metrics;').length > round, app.stderr);
        const url = [...app.stderr().matchAll(/(http:\/\/\S+\/metrics);/g)].at(-1)?.[1] as string;
        const text = await (await fetch(url)).text();
        assert.match(text, /topic="nothing",code="0"\} 1\n/, `round ${round} begins at zero`);
        await app.command('shutdown');
        assert.deepEqual(await app.command('compare'), []);
      }
    } finally {
      await app.stop();
    }
  });

  it('a rejection that nobody handles ends the process as without us', async () => {
    const app = await runConsumer(APP);
    await app.command('unhandled').catch(() => undefined);
    assert.deepEqual(await app.exited(), { code: 1, signal: null });
    assert.match(app.stderr(), /Error: rejected/);
  });

  it('keeps the type of the worker', async () => {
    const worker = consume('typed', async (id: number, body: string) => `${id} ${body}`);
    const result: string = await worker(1, 'body');
    assert.equal(result, '1 body');
    // @ts-expect-error a number is wanted
    const wrong: Parameters<typeof worker>[0] = 'one';
    assert.equal(wrong, 'one');
  });
});
