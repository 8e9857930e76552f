/**
 * Deltas in the form in which they travel: what the SDK collected, without clocks and SDK types, cut into pieces that
 * fit a frame.
 */
import {
  type DataPoint,
  DataPointType,
  type Histogram,
  type MetricData,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { warn } from '../diagnostics/log';
import { METER_NAME } from '../views/metric-names';

/** One series: its label values in the order of the family's labels, and what was added to it. */
export interface CounterDelta {
  readonly values: readonly string[];
  readonly add: number;
}

export interface HistogramDelta {
  readonly values: readonly string[];
  readonly count: number;
  readonly sum: number;
  /** One more than there are boundaries. */
  readonly buckets: readonly number[];
}

/** What was added to one family, for series with the same labels. */
export interface FamilyDelta {
  readonly family: string;
  readonly labels: readonly string[];
  /** Of a histogram; absent for a counter. */
  readonly boundaries?: readonly number[];
  readonly series: readonly (CounterDelta | HistogramDelta)[];
}

export type Deltas = readonly FamilyDelta[];

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
export function toBatches({ scopeMetrics }: ResourceMetrics): Deltas[] {
  const batches: FamilyDelta[][] = [];
  let bytes = BATCH_BYTES;
  for (const metric of ownMetrics(scopeMetrics)) {
    const isHistogram = metric.dataPointType === DataPointType.HISTOGRAM;
    if (!isHistogram && metric.dataPointType !== DataPointType.SUM) continue;
    let current: (FamilyDelta & { series: (CounterDelta | HistogramDelta)[] }) | undefined;
    for (const point of metric.dataPoints as DataPoint<number | Histogram>[]) {
      const labels = Object.keys(point.attributes);
      const row = toRow(point);
      bytes += sizeOf(row);
      if (bytes > BATCH_BYTES) {
        batches.push([]);
        bytes = sizeOf(row);
        current = undefined;
      }
      if (current === undefined || !isSame(current.labels, labels)) {
        const boundaries = isHistogram ? { boundaries: (point.value as Histogram).buckets.boundaries } : {};
        current = { family: metric.descriptor.name, labels, ...boundaries, series: [] };
        batches.at(-1)?.push(current);
      }
      current.series.push(row);
    }
  }
  return batches;
}

/**
 * Only families of the catalogue travel: what an application's own instruments mean, and whether they may be added, a
 * hub cannot know.
 */
function ownMetrics(scopeMetrics: ResourceMetrics['scopeMetrics']): MetricData[] {
  const foreign = scopeMetrics.find(({ scope, metrics }) => scope.name !== METER_NAME && metrics.length > 0);
  if (foreign !== undefined) {
    const { name } = foreign.scope;
    const text = `metrics of the application are missing, of meter ${name}: this process is a member, and only the hub shows its own`;
    warn('CHX_OWN_METRICS_FAILED', 'member', text);
  }
  return scopeMetrics.filter(({ scope }) => scope.name === METER_NAME).flatMap(({ metrics }) => metrics);
}

function toRow({ attributes, value }: DataPoint<number | Histogram>): CounterDelta | HistogramDelta {
  const values = Object.values(attributes).map((label) => String(label ?? ''));
  if (typeof value === 'number') return { values, add: value };
  return { values, count: value.count, sum: value.sum ?? 0, buckets: value.buckets.counts };
}

/** An upper estimate in bytes: a UTF-16 unit becomes six at most, as an escape in JSON. */
function sizeOf(row: CounterDelta | HistogramDelta): number {
  const characters = row.values.reduce((sum, value) => sum + value.length + 3, 0);
  const numbers = 'buckets' in row ? row.buckets.length + 3 : 1;
  return characters * 3 + numbers * 8 + 64;
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((label, index) => label === other[index]);
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
  if (boundaries === undefined) return series.every((row) => isCounterDelta(row, labels.length));
  if (!Array.isArray(boundaries) || boundaries.length > MAX_BOUNDARIES) return false;
  if (!boundaries.every((boundary) => Number.isFinite(boundary))) return false;
  return series.every((row) => isHistogramDelta(row, labels.length, boundaries.length + 1));
}

function isCounterDelta(value: unknown, labels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { values, add } = value as Record<string, unknown>;
  return isTexts(values) && values.length === labels && isAmount(add);
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
