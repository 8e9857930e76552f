/**
 * Under all attacks at once, honest work is counted exactly. `npm run test:attacks` runs the same for ten minutes and holds
 * latency and memory against a cluster without the preload: both need more time, and a machine that does nothing else.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compareUnderAttack, countFaults, tableOf } from '../../attacks/comparison';
import { effort } from '../../support/effort';

/** Of each of the two clusters. */
const SECONDS = effort({ short: 3, full: 10 });

describe(`a cluster under all attacks for ${SECONDS} s`, () => {
  it('answers and counts every honest request, call and message', async (t) => {
    const comparison = await compareUnderAttack(SECONDS, () => undefined);
    for (const line of tableOf(comparison).split('\n')) t.diagnostic(line);
    assert.deepEqual(countFaults(comparison), []);
    // the attacks have taken place
    for (const [name, acts] of Object.entries(comparison.acts)) assert.ok(acts > 0, name);
  });
});
