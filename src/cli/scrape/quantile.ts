/** Quantiles of histograms, as Prometheus computes them between two boundaries; beyond the outer ones nothing is known. */
import type { Series } from './families';

/**
 * A quantile. `isAbove`: it is greater than the last boundary, and `isBelow`: not greater than the first, which is all that
 * is known of it; interpolated between 0 and the first boundary, 5 ms would read 95.
 */
export interface Quantile {
  readonly value: number;
  readonly isAbove: boolean;
  readonly isBelow: boolean;
}

/**
 * By linear interpolation within the bucket that it falls into.
 * @param share 0 to 1
 * @param series their buckets are added up by their bounds
 * @returns undefined without observations
 * @see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile
 */
export function quantile(share: number, series: Iterable<Series>): Quantile | undefined {
  const sums = new Map<number, number>();
  for (const { buckets } of series) {
    for (const [bound, count] of buckets) sums.set(bound, (sums.get(bound) ?? 0) + count);
  }
  const buckets = [...sums].filter(([bound]) => !Number.isNaN(bound)).sort(([a], [b]) => a - b);
  const total = buckets.at(-1)?.[1] ?? 0;
  if (!(total > 0)) return undefined;
  const rank = share * total;
  const index = buckets.findIndex(([, count]) => count >= rank);
  const [bound, count] = buckets[index] as [number, number];
  const former = buckets[index - 1];
  if (bound === Number.POSITIVE_INFINITY) return { value: former?.[0] ?? 0, isAbove: true, isBelow: false };
  if (former === undefined) return { value: bound, isAbove: false, isBelow: true };
  const [lower, below] = former;
  const within = count === below ? 0 : (rank - below) / (count - below);
  return { value: lower + (bound - lower) * within, isAbove: false, isBelow: false };
}

/** As it stands in the table. */
export function quantileText(found: Quantile | undefined): string {
  if (found === undefined) return '';
  const side = found.isAbove ? '>' : found.isBelow ? '<' : '';
  return `${side}${Number(found.value.toPrecision(3))}`;
}
