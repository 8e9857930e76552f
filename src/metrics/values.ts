/** Values of series, and how one is added to another. */
import type { Histogram } from '@opentelemetry/sdk-metrics';

/** A number, or the counts of a histogram. */
export type Value = number | Histogram;

/** A copy that can be added to while the SDK goes on using its own. */
export function copyOf(value: Value): Value {
  if (typeof value === 'number') return value;
  return { ...value, buckets: { ...value.buckets, counts: [...value.buckets.counts] } };
}

/** Adds a histogram of the same boundaries to the total. */
export function addBuckets(total: Histogram, count: number, sum: number, buckets: readonly number[]): void {
  const { counts } = total.buckets;
  total.count += count;
  total.sum = (total.sum ?? 0) + sum;
  for (let index = 0; index < counts.length; index++) {
    counts[index] = (counts[index] as number) + (buckets[index] as number);
  }
}

export function addHistogram(total: Histogram, delta: Histogram): void {
  addBuckets(total, delta.count, delta.sum ?? 0, delta.buckets.counts);
}
