/** Splits deltas into batches that fit a frame, and checks deltas that arrive. */
import type { Deltas, FamilyDelta, SeriesDelta } from '../metrics/deltas';

/**
 * Target size of a batch: it fits the buffer of a local socket, so that a hub that hangs does not block a member's
 * exit.
 */
const BATCH_BYTES = 64 * 1024;
/** No family has more labels, or more boundaries. */
const MAX_LABELS = 32;
const MAX_BOUNDARIES = 1_000;
/** Label names that Prometheus accepts; `le` belongs to the buckets. */
const LABEL_NAME = /^(?!le$)[A-Za-z_]\w*$/;

/**
 * @returns batches in the order of the series, each smaller than a frame; none when nothing was measured
 */
export function toBatches(deltas: Deltas): Deltas[] {
  const batches: FamilyDelta[][] = [];
  let bytes = BATCH_BYTES;
  for (const delta of deltas) {
    let current: SeriesDelta[] | undefined;
    for (const row of delta.series) {
      bytes += sizeOf(row);
      if (bytes > BATCH_BYTES) {
        batches.push([]);
        bytes = sizeOf(row);
        current = undefined;
      }
      if (current === undefined) {
        current = [];
        batches.at(-1)?.push({ ...delta, series: current });
      }
      current.push(row);
    }
  }
  return batches;
}

/** Bytes of a series in a frame, estimated. */
function sizeOf(row: SeriesDelta): number {
  const characters = row.values.reduce((sum, value) => sum + value.length + 3, 0);
  const numbers = 'buckets' in row ? row.buckets.length + 3 : 1;
  return characters * 3 + numbers * 8 + 64;
}

/** Whether a parsed value has the shape of deltas, every field checked. */
export function isDeltas(value: unknown): value is Deltas {
  return Array.isArray(value) && value.every(isFamilyDelta);
}

function isFamilyDelta(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { family, labels, boundaries, series } = value as Record<string, unknown>;
  if (typeof family !== 'string' || !isTexts(labels) || labels.length > MAX_LABELS || !Array.isArray(series)) {
    return false;
  }
  if (new Set(labels).size !== labels.length || !labels.every((label) => LABEL_NAME.test(label))) return false;
  if (boundaries === undefined) return series.every((row) => isNumberDelta(row, labels.length));
  if (!Array.isArray(boundaries) || boundaries.length > MAX_BOUNDARIES) return false;
  if (!boundaries.every((boundary) => Number.isFinite(boundary))) return false;
  return series.every((row) => isHistogramDelta(row, labels.length, boundaries.length + 1));
}

/** A series of a counter (`add`), or of a gauge (`last`). */
function isNumberDelta(value: unknown, labels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { values, add, last } = value as Record<string, unknown>;
  if (!isTexts(values) || values.length !== labels) return false;
  return last === undefined ? isAmount(add) : add === undefined && Number.isFinite(last);
}

function isHistogramDelta(value: unknown, labels: number, length: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { values, count, sum, buckets } = value as Record<string, unknown>;
  if (!isTexts(values) || values.length !== labels || !isAmount(count) || !isAmount(sum)) return false;
  if (!Array.isArray(buckets) || buckets.length !== length || !buckets.every(isAmount)) return false;
  // Prometheus rejects the whole scrape when a histogram's buckets do not add up to its count
  return buckets.reduce((total: number, each: number) => total + each, 0) === count;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((text) => typeof text === 'string');
}

/** Counters never decrease. */
function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
