/**
 * Buckets whose width is in proportion to their values, as OpenTelemetry's base2 exponential histograms have them: of
 * one series, beside its explicit buckets, for those who push by OTLP. Their resolution follows the values, so that two
 * can always be added: both take the scale at which the sum fits.
 *
 * The SDK records them; added up they are here, because the SDK's own addition is not part of what it exports.
 * @see https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram
 */
import type { ExponentialHistogram } from '@opentelemetry/sdk-metrics';

/** Without count and sum, which the explicit buckets have. A bucket at index i is (2^(i/2^scale), 2^((i+1)/2^scale)]. */
export interface Exponential {
  readonly scale: number;
  /** Measurements of zero. */
  readonly zeroCount: number;
  /** Index of the first bucket. */
  readonly offset: number;
  /** At most {@link MAX_SIZE}. */
  readonly counts: readonly number[];
  /** Absent where it is not known; the same of the maximum. */
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/** A total is added to in place. */
type Total = { -readonly [K in keyof Exponential]: Exponential[K] };

/** Buckets of one series, as the specification has it by default. */
export const MAX_SIZE = 160;
const MAX_SCALE = 20;
const MIN_SCALE = -10;
/** Exponents of what a number holds without being rounded more than others. */
const MIN_EXPONENT = -1022;
const MAX_EXPONENT = 1023;

export function emptyExponential(): Exponential {
  return { scale: MAX_SCALE, zeroCount: 0, offset: 0, counts: [] };
}

/** @returns what the SDK recorded; undefined where it left out what the explicit buckets have */
export function exponentialOf(value: ExponentialHistogram, count: number): Exponential | undefined {
  const { scale, zeroCount, positive, negative, min, max } = value;
  if (value.count !== count || negative.bucketCounts.length > 0) return undefined;
  return { scale, zeroCount, offset: positive.offset, counts: positive.bucketCounts, min, max };
}

/** @returns what was counted in explicit buckets, each at its upper boundary; the last at its lower one */
export function exponentialOfBuckets(boundaries: readonly number[], buckets: readonly number[]): Exponential {
  const total = emptyExponential();
  for (const [index, count] of buckets.entries()) {
    if (count > 0) addExponential(total, only(boundaries[index] ?? boundaries.at(-1) ?? 0, count));
  }
  return { ...total, min: undefined, max: undefined };
}

/** Adds one measurement, in place. @param value not negative; what is counts as zero */
export function recordExponential(total: Exponential, value: number): void {
  addExponential(total, { ...only(value, 1), min: value, max: value });
}

/** Adds to a total, in place. */
export function addExponential(total: Exponential, added: Exponential): void {
  const changing = total as Total;
  const isFirst = total.zeroCount === 0 && total.counts.length === 0;
  changing.min = isFirst ? added.min : extreme(Math.min, total.min, added.min);
  changing.max = isFirst ? added.max : extreme(Math.max, total.max, added.max);
  changing.zeroCount += added.zeroCount;
  if (added.counts.length === 0 || addWithin(total, added)) return;
  // of no buckets the scale says nothing
  const parts = total.counts.length === 0 ? [added] : [total, added];
  let scale = Math.min(...parts.map((part) => part.scale));
  let low = Math.min(...parts.map((part) => part.offset >> (part.scale - scale)));
  let high = Math.max(...parts.map((part) => (part.offset + part.counts.length - 1) >> (part.scale - scale)));
  while (high - low >= MAX_SIZE) {
    low >>= 1;
    high >>= 1;
    scale--;
  }
  const counts = new Array<number>(high - low + 1).fill(0);
  for (const part of parts) {
    for (const [position, count] of part.counts.entries()) {
      const index = ((part.offset + position) >> (part.scale - scale)) - low;
      counts[index] = (counts[index] as number) + count;
    }
  }
  Object.assign(changing, { scale, offset: low, counts });
}

/** The usual case, in place. @returns false where the total does not have the buckets */
function addWithin({ scale, offset, counts }: Exponential, added: Exponential): boolean {
  const shift = added.scale - scale;
  if (shift < 0 || added.offset >> shift < offset) return false;
  if ((added.offset + added.counts.length - 1) >> shift >= offset + counts.length) return false;
  const own = counts as number[];
  for (let position = 0; position < added.counts.length; position++) {
    const index = ((added.offset + position) >> shift) - offset;
    own[index] = (own[index] as number) + (added.counts[position] as number);
  }
  return true;
}

/** As the SDK hands it on. */
export function toExponentialHistogram(
  { scale, zeroCount, offset, counts, min, max }: Exponential,
  count: number,
  sum: number | undefined,
): ExponentialHistogram {
  return {
    count,
    ...(sum !== undefined && { sum }),
    scale,
    zeroCount,
    positive: { offset, bucketCounts: [...counts] },
    negative: { offset: 0, bucketCounts: [] },
    ...(min !== undefined && max !== undefined && { min, max }),
  };
}

/** Whether a parsed value is one of so many measurements, of indexes that numbers have: adding it is bounded then. */
export function isExponential(value: unknown, count: number): value is Exponential {
  if (typeof value !== 'object' || value === null) return false;
  const { scale, zeroCount, offset, counts, min, max } = value as Record<string, unknown>;
  if (!isInteger(scale, MIN_SCALE, MAX_SCALE) || !isInteger(zeroCount, 0, Number.MAX_SAFE_INTEGER)) return false;
  if (!Array.isArray(counts) || counts.length > MAX_SIZE) return false;
  const [first, last] = [Math.floor((MIN_EXPONENT - 1) * 2 ** scale), Math.ceil((MAX_EXPONENT + 1) * 2 ** scale)];
  if (!isInteger(offset, first, last - Math.max(0, counts.length - 1))) return false;
  if (!counts.every((each) => isInteger(each, 0, Number.MAX_SAFE_INTEGER))) return false;
  if (![min, max].every((each) => each === undefined || (Number.isFinite(each) && (each as number) >= 0))) return false;
  return counts.reduce((sum: number, each: number) => sum + each, zeroCount) === count;
}

function isInteger(value: unknown, least: number, most: number): value is number {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
}

function only(value: number, count: number): Exponential {
  if (value <= 0) return { scale: MAX_SCALE, zeroCount: count, offset: 0, counts: [] };
  return { scale: MAX_SCALE, zeroCount: 0, offset: indexOf(value), counts: [count] };
}

/** Index at the highest scale, as the SDK maps it. */
function indexOf(value: number): number {
  const normal = Math.min(Math.max(value, 2 ** MIN_EXPONENT), Number.MAX_VALUE);
  const exponent = Math.round(Math.log2(normal));
  // an upper bound is inclusive, and a logarithm is rounded
  if (2 ** exponent === normal) return exponent * 2 ** MAX_SCALE - 1;
  const index = Math.floor(Math.log(normal) * Math.LOG2E * 2 ** MAX_SCALE);
  return Math.min(index, (MAX_EXPONENT + 1) * 2 ** MAX_SCALE - 1);
}

/** @returns undefined where one of both is not known */
function extreme(of: (...values: number[]) => number, one: number | undefined, other: number | undefined) {
  return one === undefined || other === undefined ? undefined : of(one, other);
}
