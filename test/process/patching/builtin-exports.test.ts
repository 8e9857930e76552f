/** ES modules see what we replace in builtins, and nothing else that they did not see before. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { environment, nodeBinary } from '../../support/app';
import { FIXTURES, ROOT } from '../../support/paths';

const SCRIPT = join(FIXTURES, 'patching/published.mjs');

function canRequireEsm(): boolean {
  const args = ['-p', 'process.features.require_module'];
  return spawnSync(nodeBinary(), args, { encoding: 'utf8' }).stdout.trim() === 'true';
}

describe('an ES module that starts us after another has replaced functions of builtins', () => {
  it('sees our own replacements while we run, and none of the other’s', () => {
    const options = { cwd: ROOT, env: environment(), encoding: 'utf8', timeout: 60_000 } as const;
    const { status, stdout, stderr } = spawnSync(nodeBinary(), [SCRIPT], options);
    assert.equal(status, 0, stderr);
    const untouched = { readFile: true, createServer: true, get: true, request: true, isPatched: true };
    const [before, running, after] = JSON.parse(stdout);
    assert.deepEqual(before, untouched);
    // earlier releases cannot read what ES modules see: everything is published there
    if (!canRequireEsm()) return;
    assert.deepEqual(running, { ...untouched, get: false, request: false });
    // `get` was replaced by both: what ours has called is the other's
    assert.deepEqual(after, { ...untouched, get: false });
    assert.equal(stderr.split('\n').filter((line) => /Warning/.test(line)).length, 0, stderr);
  });
});
