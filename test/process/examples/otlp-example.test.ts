/** The example of a service with an SDK of its own, as a reader of its README runs it. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { environment, nodeBinary } from '../../support/app';
import { ROOT } from '../../support/paths';

const LIMIT_MS = 60_000;

describe('npm run example:otlp', () => {
  it('prints the metrics that its README shows, and ends by itself', async () => {
    const folder = join(ROOT, 'examples/otlp');
    const run = promisify(execFile)(nodeBinary(), [join(folder, 'run.mjs')], { env: environment(), timeout: LIMIT_MS });
    const { stdout, stderr } = await run;
    assert.equal(stderr, '');
    const shown = /^```\n(service\.name[^`]*)```$/m.exec(readFileSync(join(folder, 'README.md'), 'utf8'))?.[1];
    assert.equal(stdout, shown);
  });
});
