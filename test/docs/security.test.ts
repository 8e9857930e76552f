/** docs/security.md names a test for each promise, and the figures that decide whether `npm run test:attacks` passes. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { GROWTH_LIMIT_BYTES, P99_RATIO_LIMIT } from '../attacks/comparison';
import { ROOT } from '../support/paths';

const PROMISES = '| Promise | Bound | Test | How to change |';
const page = readFileSync(join(ROOT, 'docs/security.md'), 'utf8');

/** The third cell of each row. */
function testCells(): string[] {
  return page
    .split(`${PROMISES}\n`)
    .slice(1)
    .flatMap((text) => {
      const rows = text.split('\n');
      return rows.slice(1, rows.indexOf(''));
    })
    .map((row) => row.split('|')[3] as string);
}

describe('the page about security', () => {
  it('names tests that exist for each promise', () => {
    const cells = testCells();
    assert.ok(cells.length > 30, `${cells.length} promises`);
    for (const cell of cells) {
      const names = Array.from(cell.matchAll(/`([^`]+)`/g), ([, name]) => name as string);
      assert.ok(names.length > 0, cell);
      for (const name of names) assert.ok(existsSync(join(ROOT, `test/${name}.test.ts`)), name);
    }
  });

  it('has the bounds of the comparison under attack', () => {
    assert.equal(P99_RATIO_LIMIT, 2);
    assert.match(page, /99th percentile of honest requests is at most twice/);
    assert.match(page, new RegExp(`grows by at most ${GROWTH_LIMIT_BYTES / 1024 / 1024} MiB`));
  });
});
