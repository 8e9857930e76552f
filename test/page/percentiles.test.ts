/** Percentiles of the page: what a bucket tells, and no more. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { orderOf, type Percentile, percentile } from '../../src/page/percentiles';

const BOUNDARIES = [100, 200, 500];

const CASES: readonly {
  readonly name: string;
  readonly counts: readonly number[];
  readonly part: number;
  readonly expect: Percentile | undefined;
}[] = [
  { name: 'nothing was counted', counts: [0, 0, 0, 0], part: 0.5, expect: undefined },
  { name: 'all is below the first boundary', counts: [9, 0, 0, 0], part: 0.99, expect: { kind: 'below', ms: 100 } },
  { name: 'the half of ten in one bucket', counts: [0, 10, 0, 0], part: 0.5, expect: { kind: 'about', ms: 150 } },
  { name: 'the end of a bucket is its boundary', counts: [5, 5, 0, 0], part: 1, expect: { kind: 'about', ms: 200 } },
  { name: 'empty buckets in between', counts: [4, 0, 4, 0], part: 0.75, expect: { kind: 'about', ms: 350 } },
  { name: 'the first bucket is empty', counts: [0, 0, 2, 0], part: 0, expect: { kind: 'about', ms: 200 } },
  { name: 'beyond the last boundary', counts: [1, 0, 0, 1], part: 0.95, expect: { kind: 'above', ms: 500 } },
];

describe('a percentile', () => {
  for (const { name, counts, part, expect } of CASES) {
    it(`where ${name}`, () => assert.deepEqual(percentile(BOUNDARIES, counts, part), expect));
  }

  it('is not there without boundaries', () => assert.equal(percentile([], [3], 0.5), undefined));

  it('sorts from nothing over below, about and above', () => {
    const sorted: (Percentile | undefined)[] = [
      undefined,
      { kind: 'below', ms: 100 },
      { kind: 'about', ms: 100 },
      { kind: 'about', ms: 499 },
      { kind: 'above', ms: 500 },
    ];
    const orders = sorted.map(orderOf);
    assert.deepEqual(
      orders,
      [...orders].sort((a, b) => a - b),
    );
    assert.equal(new Set(orders).size, sorted.length);
  });
});
