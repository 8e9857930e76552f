/** The example of docs/consumers.md for workers of Celery's shape, with a real Redis. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { startRedis } from '../../support/brokers';
import { outcomeIs, runConsumer } from '../../support/consumers';
import { ROOT } from '../../support/paths';

const APP = 'test/fixtures/apps/celery.js';

it('tasks by name are measured by consume(), and their results pass through', async () => {
  const broker = await startRedis();
  try {
    const app = await runConsumer(APP, { env: { REDIS_PORT: `${broker.port}` } });
    try {
      await app.command('send');
      await outcomeIs(app, 'orders.export', { success: 2, failure: 1 });
      await outcomeIs(app, 'orders.clean', { success: 0, failure: 1 });
      assert.deepEqual(await app.command('results'), [{ count: 1 }, 'negative', { count: 2 }, 'broken']);
    } finally {
      await app.stop();
    }
  } finally {
    await broker.stop();
  }
});

it('the program of this test has the lines of the example', () => {
  const page = readFileSync(join(ROOT, 'docs/consumers.md'), 'utf8');
  const [, example = ''] = /```js\n(const measured =[\s\S]*?\};\n)/.exec(page) ?? [];
  assert.ok(example.length > 0 && readFileSync(join(ROOT, APP), 'utf8').includes(example));
});
