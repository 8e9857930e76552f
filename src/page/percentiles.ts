/**
 * Percentiles from the buckets of a histogram. A bucket tells that a duration is between two boundaries and no more, so
 * what stands between is an estimate, and below the first and above the last boundary there is none.
 */

/** `below` the first boundary, `about` a duration, or `above` the last boundary. */
export interface Percentile {
  readonly kind: 'below' | 'about' | 'above';
  readonly ms: number;
}

/**
 * @param boundaries inclusive upper bounds in milliseconds, ascending, without the infinite one
 * @param counts of each bucket alone, one more than boundaries
 * @param part such as 0.95
 * @returns undefined where nothing was counted
 */
export function percentile(
  boundaries: readonly number[],
  counts: readonly number[],
  part: number,
): Percentile | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const first = boundaries[0];
  if (total <= 0 || first === undefined) return undefined;
  const rank = part * total;
  let before = 0;
  for (const [index, boundary] of boundaries.entries()) {
    const count = counts[index] ?? 0;
    if (before + count >= rank && count > 0) {
      if (index === 0) return { kind: 'below', ms: first };
      const from = boundaries[index - 1] as number;
      return { kind: 'about', ms: from + ((boundary - from) * (rank - before)) / count };
    }
    before += count;
  }
  return { kind: 'above', ms: boundaries[boundaries.length - 1] as number };
}

/** For sorting: what is below a boundary comes before an estimate of it, and what is above after. */
export function orderOf(value: Percentile | undefined): number {
  if (value === undefined) return -1;
  const offset = { below: -1, about: 0, above: 1 };
  return value.ms + offset[value.kind];
}
