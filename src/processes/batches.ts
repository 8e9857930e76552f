/** Deltas on their way to another process: cut into chunks that fit a frame, and checked when they arrive. */
import type { Deltas, FamilyDelta, SeriesDelta } from '../metrics/deltas';

/** Size at which a batch is cut: one fits the buffer of a local socket, so that a hub that hangs holds nobody up. */
const BATCH_BYTES = 64 * 1024;
/** More than any label or family of ours has. */
const MAX_LABELS = 32;
const MAX_BOUNDARIES = 1_000;
/** What Prometheus takes; `le` is the histograms' own. */
const LABEL_NAME = /^(?!le$)[A-Za-z_]\w*$/;

/**
 * @returns batches in the order of collection, each below the size of a frame; none when nothing was measured
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

/** An upper estimate in bytes: a UTF-16 unit becomes six at most, as an escape in JSON. */
function sizeOf(row: SeriesDelta): number {
  const characters = row.values.reduce((sum, value) => sum + value.length + 3, 0);
  const numbers = 'buckets' in row ? row.buckets.length + 3 : 1;
  return characters * 3 + numbers * 8 + 64;
}

/** Whether a value from outside is deltas, to the last field. */
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

/** Of a counter, or of a gauge. */
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
  // a histogram whose buckets do not add up to its count would be refused by Prometheus, with all the scrape
  return buckets.reduce((total: number, each: number) => total + each, 0) === count;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((text) => typeof text === 'string');
}

/** Counters only rise. */
function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
