/**
 * A service under constant mixed load does not grow: neither its heap nor its handles, and no request is kept.
 * SOAK_SECONDS=600 npm test -- process/metrics/soak runs it longer; docs/soak.md has the figures.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { INNER, PARTNER } from '../../support/app';
import { effort } from '../../support/effort';
import { type Burst, burst, type Load, type ServiceState, send, startLoad } from '../../support/load';

interface Sample extends ServiceState {
  readonly second: number;
}

const SECONDS = Number(process.env.SOAK_SECONDS ?? effort({ short: 12, full: 30 }));
/** Samples are few enough to leave the load constant, and enough for a median of each third. */
const SAMPLES = 30;
const CONNECTIONS = 20;
/** What a median of the heap may differ by chance. */
const HEAP_BOUND_BYTES = 2 * 1024 * 1024;
const HEAP_BOUND_RATIO = 1.05;
/** Requests that may be held at the end: the last on a connection, of the parser, of the asking one. */
const HELD_REQUESTS = 50;

/** One round: everything that clients do, in a few hundred requests. */
const ROUND: readonly Burst[] = [
  ...Array.from({ length: 10 }, () => burst('fast', 20)),
  ...Array.from({ length: 5 }, () => burst('post', 10)),
  ...Array.from({ length: 5 }, () => burst('packed', 10)),
  ...Array.from({ length: 5 }, () => burst('call', 8)),
  ...Array.from({ length: 4 }, () => burst('slow', 4, { leaves: 'closes', at: 10 })),
  ...Array.from({ length: 4 }, () => burst('fast', 20, { leaves: 'resets', at: 'first bytes' })),
  ...Array.from({ length: 3 }, () => burst('hang', 1, { leaves: 'closes', at: 20 })),
  ...Array.from({ length: 3 }, () => burst('stream', 2, { leaves: 'resets', at: 'first bytes' })),
  ...Array.from({ length: 3 }, () => burst('cut', 1)),
];

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] as number;
const arrivedIn = ({ arrived }: ServiceState) => sum(Object.values(arrived));

describe(`a service under mixed load for ${SECONDS} s`, () => {
  let load: Load;
  const samples: Sample[] = [];
  const third = (index: 1 | 2) => samples.slice((index * SAMPLES) / 3, ((index + 1) * SAMPLES) / 3);

  before(async () => {
    load = await startLoad(['--expose-gc']);
    const startedMs = Date.now();
    for (let sample = 1; sample <= SAMPLES; sample++) {
      const untilMs = startedMs + (sample * SECONDS * 1000) / SAMPLES;
      do await send(load.app.port, ROUND, CONNECTIONS);
      while (Date.now() < untilMs);
      await load.app.metrics();
      samples.push({ ...(await load.quietState()), second: Math.round((Date.now() - startedMs) / 1000) });
    }
  });
  after(() => load?.stop());

  it('has the same heap in the last third as in the second', (t) => {
    const [second, last] = [third(1), third(2)].map((each) => median(each.map(({ heapUsed }) => heapUsed))) as [
      number,
      number,
    ];
    for (const each of samples) t.diagnostic(sampleText(each));
    assert.ok(last <= second * HEAP_BOUND_RATIO + HEAP_BOUND_BYTES, `${second} to ${last} bytes`);
  });

  it('has no more handles in the last third than in the second', () => {
    const [second, last] = [third(1), third(2)].map((each) => Math.max(...each.map(({ handles }) => handles))) as [
      number,
      number,
    ];
    assert.ok(last <= second, `${second} to ${last} handles`);
  });

  it('keeps nothing of a request', () => {
    const { followed, collected } = samples.at(-1) as Sample;
    assert.ok(followed > 100, `${followed} requests followed`);
    assert.ok(followed - collected <= HELD_REQUESTS, `${followed - collected} of ${followed} requests are still held`);
  });

  it('has counted every request and call', async () => {
    const { calls, ...state } = await load.quietState();
    const total = (counts: readonly { readonly count: number }[]) => sum(counts.map(({ count }) => count));
    const metrics = await load.app.metricsWhen(
      (seen) => total(seen.counts(INNER)) >= arrivedIn({ calls, ...state }) && total(seen.counts(PARTNER)) >= calls,
    );
    assert.equal(total(metrics.counts(INNER)), arrivedIn({ calls, ...state }));
    assert.equal(total(metrics.counts(PARTNER)), calls);
    assert.equal(load.app.stderr().trim().split('\n').length, 1, load.app.stderr());
  });
});

function sampleText(sample: Sample): string {
  const { second, heapUsed, handles, followed, collected } = sample;
  const heap = (heapUsed / 1024 / 1024).toFixed(2);
  return `${second} s: ${arrivedIn(sample)} requests, heap ${heap} MiB, ${handles} handles, ${followed - collected} of ${followed} requests held`;
}
