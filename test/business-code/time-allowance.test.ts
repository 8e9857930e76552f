/** What a piece of work takes off the allowance is what it took of the processor. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TimeAllowance } from '../../src/business-code/time-allowance';

const PER_PIECE_MS = 0.15;
const BURST_MS = 50;

/** The thread stands still, as one that the system does not let run. */
function stand(ms: number): boolean {
  return Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms) === 'timed-out';
}

/** Works until the processor has been used for so long. */
function work(ms: number): boolean {
  for (const begun = process.cpuUsage(); ; ) {
    const { user, system } = process.cpuUsage(begun);
    if ((user + system) / 1000 > ms) return true;
  }
}

describe('an allowance of time', () => {
  it('is not used up by pieces during which the thread was not let run', { skip: process.platform === 'win32' }, () => {
    const allowance = new TimeAllowance(PER_PIECE_MS, BURST_MS);
    for (let piece = 0; piece < 5; piece++)
      assert.equal(
        allowance.spend(() => stand(2 * BURST_MS)),
        true,
        `${piece}`,
      );
  });

  it('is used up by work, and by work that throws', () => {
    const allowance = new TimeAllowance(PER_PIECE_MS, BURST_MS);
    assert.equal(
      allowance.spend(() => work(BURST_MS / 2)),
      true,
    );
    assert.throws(
      () =>
        allowance.spend(() => {
          work(BURST_MS);
          throw new Error('on purpose');
        }),
      /on purpose/,
    );
    assert.equal(
      allowance.spend(() => assert.fail('it is used up')),
      undefined,
    );
  });

  it('grows by the share of a piece with each that is asked for', () => {
    const allowance = new TimeAllowance(PER_PIECE_MS, BURST_MS);
    assert.equal(
      allowance.spend(() => work(BURST_MS + 20 * PER_PIECE_MS)),
      true,
    );
    let refused = 0;
    while (allowance.spend(() => true) === undefined) {
      refused++;
      assert.ok(refused < 10_000);
    }
    assert.ok(refused >= 19, `${refused}`);
  });
});
