/** Exponential buckets are added up as if one histogram of the SDK had recorded all, and stay bounded. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AggregationType, type ExponentialHistogram, MeterProvider } from '@opentelemetry/sdk-metrics';
import { DeltaReader } from '../../src/metrics/collector';
import {
  addExponential,
  type Exponential,
  emptyExponential,
  exponentialOf,
  exponentialOfBuckets,
  isExponential,
  MAX_SIZE,
  recordExponential,
} from '../../src/metrics/exponential';
import { isDeltas } from '../../src/processes/batches';
import { Random } from '../support/random';

const RUNS = 150;
const MOST_VALUES = 300;

/** @returns what the SDK makes of the values */
async function recorded(values: readonly number[]): Promise<Exponential> {
  const reader = new DeltaReader(10);
  const aggregation = { type: AggregationType.EXPONENTIAL_HISTOGRAM as const };
  const provider = new MeterProvider({ readers: [reader], views: [{ instrumentName: 'h', aggregation }] });
  const histogram = provider.getMeter('m').createHistogram('h');
  for (const value of values) histogram.record(value);
  const { resourceMetrics } = await reader.collect();
  const point = resourceMetrics.scopeMetrics[0]?.metrics[0]?.dataPoints[0];
  await provider.shutdown();
  if (point === undefined) return emptyExponential();
  const exponential = exponentialOf(point.value as ExponentialHistogram, values.length);
  assert.ok(exponential);
  return exponential;
}

/** Zeros, powers of two, one duration many times, or values over up to 2^60. */
function someValues(random: Random): number[] {
  const octaves = random.pick([1, 5, 20, 60]);
  const same = random.below(1_000) / 7;
  return Array.from({ length: random.below(MOST_VALUES) }, () => {
    const kind = random.below(8);
    if (kind === 0) return 0;
    if (kind === 1) return 2 ** (random.below(octaves) - octaves / 2);
    if (kind === 2) return same;
    return (1 + random.below(1_000_000) / 1_000_000) * 2 ** (random.below(octaves) - 10);
  });
}

/** The scale of no buckets says nothing, nor where they would begin. */
function shown({ scale, offset, counts, ...rest }: Exponential) {
  return counts.length === 0 ? { ...rest, counts } : { ...rest, counts, scale, offset };
}

describe('exponential buckets', () => {
  it('of several processes are those of one that recorded all', async () => {
    const random = new Random(1);
    for (let run = 0; run < RUNS; run++) {
      const parts = Array.from({ length: 1 + random.below(4) }, () => someValues(random));
      const total = emptyExponential();
      for (const part of parts) addExponential(total, await recorded(part));
      const { min, max, ...expected } = await recorded(parts.flat());
      const range = parts.flat().length === 0 ? {} : { min, max };
      assert.deepEqual(shown(total), shown({ min: undefined, max: undefined, ...expected, ...range }), `run ${run}`);
    }
  });

  it('that are recorded here, for a process that ends, are those of the SDK', async () => {
    const random = new Random(2);
    const extremes = [Number.MIN_VALUE, 2 ** -1022, Number.MAX_VALUE, 1, 1 + Number.EPSILON];
    for (let run = 0; run < RUNS; run++) {
      const values = run === 0 ? extremes : someValues(random);
      const total = emptyExponential();
      for (const value of values) recordExponential(total, value);
      assert.deepEqual(shown(total), shown(await recorded(values)), `run ${run}: ${values.slice(0, 9)}`);
      assert.ok(isExponential(JSON.parse(JSON.stringify(total)), values.length));
    }
  });

  it('stand for explicit ones at their upper boundaries, every measurement once', () => {
    const total = exponentialOfBuckets([1, 2, 4], [3, 0, 5, 2]);
    const { counts, scale, offset, zeroCount } = total;
    assert.equal(zeroCount + counts.reduce((sum, count) => sum + count, 0), 10);
    const upper = (index: number) => 2 ** ((offset + index + 1) / 2 ** scale);
    assert.deepEqual(
      counts.flatMap((count, index) => (count > 0 ? [[upper(index), count]] : [])),
      [
        [1, 3],
        [4, 7],
      ],
    );
    const extended = { ...total };
    recordExponential(extended, 3);
    assert.equal(extended.min, undefined);
  });

  it('of others are refused where they are malformed, and bounded where they are not', () => {
    const good = { scale: 20, zeroCount: 1, offset: 5, counts: [2, 0, 1], min: 0, max: 2 };
    assert.ok(isExponential(good, 4));
    for (const malformed of [
      { scale: 21 },
      { scale: -11 },
      { scale: 0.5 },
      { zeroCount: -1 },
      { zeroCount: 2 },
      { offset: 2 ** 30 },
      { offset: -(2 ** 31) },
      { offset: '5' },
      { scale: -10, offset: 0, counts: [2, 0, 1] },
      { counts: [2, 0, 1.5] },
      { counts: [4, 0, -1] },
      { counts: 'xyz' },
      { counts: [3, ...Array.from({ length: MAX_SIZE }, () => 0)] },
      { min: -1 },
      { max: null },
    ]) {
      assert.equal(isExponential({ ...good, ...malformed }, 4), false, JSON.stringify(malformed));
    }
    const delta = (exponential: unknown) => {
      const row = { values: ['a'], count: 4, sum: 3, buckets: [4, 0], exponential };
      return [{ family: 'f', labels: ['l'], boundaries: [5], series: [row] }];
    };
    assert.deepEqual(
      [good, { ...good, zeroCount: 2 }].map((each) => isDeltas(delta(each))),
      [true, false],
    );
    // the farthest that pass, at every scale
    const total = emptyExponential();
    for (let scale = 20; scale >= -10; scale--) {
      for (const offset of [Math.floor(-1023 * 2 ** scale), Math.ceil(1024 * 2 ** scale)]) {
        const added = { scale, zeroCount: 0, offset, counts: [1] };
        assert.ok(isExponential(added, 1), `${scale} ${offset}`);
        addExponential(total, added);
        assert.ok(total.counts.length <= MAX_SIZE);
      }
    }
    assert.equal(
      total.counts.reduce((sum, count) => sum + count, 0),
      62,
    );
    assert.ok(isExponential(JSON.parse(JSON.stringify(total)), 62), JSON.stringify(total));
  });
});
