/** Values of series, and how one is added to another. */
import type { Histogram } from '@opentelemetry/sdk-metrics';

/** A number, or the counts of a histogram. */
export type Value = number | Histogram;

/** A copy that can be added to while the SDK goes on using its own. */
export function copyOf(value: Value): Value {
  if (typeof value === 'number') return value;
  return { ...value, buckets: { ...value.buckets, counts: [...value.buckets.counts] } };
}

/** Adds to the total, which has the same boundaries. */
export function addHistogram(total: Histogram, delta: Histogram): void {
  total.count += delta.count;
  total.sum = (total.sum ?? 0) + (delta.sum ?? 0);
  for (const [index, count] of delta.buckets.counts.entries()) {
    total.buckets.counts[index] = (total.buckets.counts[index] ?? 0) + count;
  }
}
