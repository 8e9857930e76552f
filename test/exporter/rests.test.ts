import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withRests } from '../../src/exporter/rests';
import type { Body, Form } from '../../src/exporter/scrape';

const FORM: Form = { format: 'text', isCompressed: false };
const BODY: Body = { headers: {}, chunks: [] };
const SCRAPE_MS = 200;
/** Timers and clocks are rounded. */
const ROUNDING_MS = 5;

/** Keeps the process while it waits: no timer of ours does. */
async function kept<T>(work: Promise<T>): Promise<T> {
  const timer = setInterval(() => undefined, 1_000);
  return work.finally(() => clearInterval(timer));
}

describe('scrapes that are asked for without a pause', () => {
  const began: number[] = [];
  const ended: number[] = [];
  const rested = withRests(async () => {
    const nth = began.push(performance.now());
    await new Promise((resolve) => setTimeout(resolve, SCRAPE_MS));
    ended.push(performance.now());
    if (nth === 3) throw new Error('not collected');
    return BODY;
  });

  it('begin at once at first, then after a rest as long as the last one took, also when it fails', async () => {
    await kept(rested(FORM));
    // the two wait at the same time, and either may begin first
    const second = [rested(FORM), rested(FORM)];
    const outcomes = await kept(Promise.allSettled(second));
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    await kept(rested(FORM));
    const rests = [began[1], began[2], began[3]].map(
      (time, index) => (time ?? 0) - (ended[[0, 0, 2][index] ?? 0] ?? 0),
    );
    assert.equal(began.length, 4);
    for (const rest of rests) assert.ok(rest >= SCRAPE_MS - ROUNDING_MS, `${rests}`);
  });

  it('begin at once after a pause', async () => {
    await new Promise((resolve) => setTimeout(resolve, 2 * SCRAPE_MS));
    const asked = performance.now();
    const scrape = kept(rested(FORM));
    // in the same step of the event loop
    await Promise.resolve();
    assert.ok((began.at(-1) ?? 0) >= asked);
    await scrape;
  });
});
