/** A limit ends the waiting and not the work, and neither limit nor pause keeps a process alive. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { endsWithin, pause, TimeLimitError, within } from '../../src/runtime/time-limit';
import { ROOT } from '../support/paths';

const SOON_MS = 20;
const LONG_MS = 60_000;
const never = new Promise<void>(() => undefined);

describe('work with a time limit', () => {
  it('gives its value when it ends in time', async () => {
    assert.equal(await within(LONG_MS, Promise.resolve('value')), 'value');
    assert.equal(await endsWithin(LONG_MS, Promise.resolve()), true);
  });

  it('is given up when it does not end', async () => {
    await assert.rejects(referenced(within(SOON_MS, never)), new TimeLimitError(SOON_MS));
    assert.equal(await referenced(endsWithin(SOON_MS, never)), false);
  });

  it('rejects as the work does', async () => {
    const error = new Error('on purpose');
    await assert.rejects(within(LONG_MS, Promise.reject(error)), error);
    await assert.rejects(endsWithin(LONG_MS, Promise.reject(error)), error);
  });

  it('that fails after the limit is no unhandled rejection', async () => {
    const late = referenced(pause(2 * SOON_MS)).then(() => Promise.reject(new Error('too late')));
    assert.equal(await referenced(endsWithin(SOON_MS, late)), false);
    await referenced(pause(2 * SOON_MS));
  });
});

describe('a process that waits', () => {
  for (const waiting of ['pause(60000)', 'within(60000, new Promise(() => {}))']) {
    it(`in ${waiting} ends all the same`, () => {
      const file = join(ROOT, 'dist/src/runtime/time-limit.js');
      const script = `const { pause, within } = require(${JSON.stringify(file)}); ${waiting}`;
      execFileSync(process.execPath, ['-e', script], { timeout: 10_000 });
    });
  }
});

/** The timers under test keep nothing alive, and the runner would take the test for unfinished. */
async function referenced<T>(work: Promise<T>): Promise<T> {
  const alive = setInterval(() => undefined, LONG_MS);
  try {
    return await work;
  } finally {
    clearInterval(alive);
  }
}
