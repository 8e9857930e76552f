/** Counting descriptors where the system does not say their number: bounded, beside the event loop. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { countEntries, openFiles } from '../../src/runtime-metrics/open-files';

describe('descriptors that have to be counted', () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'descriptors-'));
    for (const name of ['few', 'many']) mkdirSync(join(folder, name));
    for (let each = 0; each < 3; each++) writeFileSync(join(folder, 'few', String(each)), '');
    for (let each = 0; each < 1_500; each++) writeFileSync(join(folder, 'many', String(each)), '');
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('are all but the one that counting opens', async () => {
    assert.equal(await countEntries(join(folder, 'few'), 100), 2);
    assert.equal(await countEntries(join(folder, 'many'), 10_000), 1_499);
  });

  it('are counted up to a limit', async () => assert.equal(await countEntries(join(folder, 'many'), 1_000), 1_000));

  it('are unknown where the system has no such folder', async () =>
    assert.equal(await openFiles(join(folder, 'none')), undefined));
});
