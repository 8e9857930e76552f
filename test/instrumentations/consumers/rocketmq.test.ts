/**
 * RocketMQ's client, installed in a temporary folder, as it is big. It has no broker here: what a push consumer does with
 * the messages that it has fetched is the client's own, and begins with its consume service.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { outcomeIs, runConsumer } from '../../support/consumers';
import { reportNotRun } from '../../support/debian';
import { FIXTURES } from '../../support/paths';
import { PRELOAD_PATH } from '../../support/service';

const PACKAGE = { private: true, dependencies: { 'rocketmq-client-nodejs': '1.0.8' } };
const LIMIT_MS = 240_000;

const folder = mkdtempSync(join(tmpdir(), 'channel-exporter-rocketmq-'));
after(() => rmSync(folder, { recursive: true, force: true }));
/** Why the client is not here; undefined when it is. */
let missing: string | undefined;

before(() => {
  cpSync(join(FIXTURES, 'jobs'), folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify(PACKAGE));
  const args = ['install', '--no-audit', '--no-fund', '--prefer-offline'];
  const { status, stderr } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8', timeout: LIMIT_MS });
  if (status !== 0) missing = `rocketmq-client-nodejs could not be installed: ${stderr}`;
});

for (const script of ['cjs.js', 'esm.mjs']) {
  it(`messages of RocketMQ count once, by the listener's result: ${script}`, async (test) => {
    if (missing !== undefined) return reportNotRun(test, missing);
    const args = ['rocketmq', 'rocketmq-client-nodejs'];
    const app = await runConsumer(join(folder, script), { args, cwd: folder, nodeArgs: ['-r', PRELOAD_PATH] });
    try {
      assert.deepEqual(await app.command('results'), ['SUCCESS', 'FAILURE', 'SUCCESS', 'FAILURE', 'SUCCESS']);
      await outcomeIs(app, 'orders', { success: 3, failure: 2 });
    } finally {
      await app.stop();
    }
  });
}
