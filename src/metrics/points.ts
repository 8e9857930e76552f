/** The totals of single series, as points of the SDK: how one begins, what is added to it, and how a family hands them on. */
import type { ValueType } from '@opentelemetry/api';
import type { DataPoint, Histogram, MetricData } from '@opentelemetry/sdk-metrics';
import type { Family } from '../views';
import { AggregationTemporality, DataPointType } from '../views/sdk-constants';
import type { CounterDelta, FamilyDelta, HistogramDelta, SeriesDelta } from './deltas';
import { addExponential, type Exponential, exponentialOfBuckets } from './exponential';
import { addBuckets } from './values';

/**
 * A total whose beginning this service has seen. A scraper that has not been here since then has never read it.
 * @see ../exporter/beginnings
 */
export interface SeenFromStart {
  /** Of `ServiceTotals.mark()`, when the series came. */
  readonly arrival: number;
}

/** A histogram that is pushed with exponential buckets. */
export interface Doubled {
  readonly exponential: Exponential;
}

export type Point = (DataPoint<number> | DataPoint<Histogram>) & Partial<SeenFromStart & Doubled>;

type Counts = Pick<HistogramDelta, 'count' | 'sum' | 'buckets' | 'exponential'>;

/** A point's own value may change though its type says otherwise: totals are kept in place. */
type Changing<T> = { -readonly [K in keyof T]: T[K] };

/** Whether deltas are of the family's kind, and of its boundaries. */
export function shapeFault(delta: FamilyDelta, family: Family): 'family' | 'boundaries' | undefined {
  const { boundaries } = delta;
  const expected = family.boundaries;
  if ((boundaries === undefined) !== (expected === undefined)) return 'family';
  if (boundaries === undefined || expected === undefined) {
    const isFitting = family.kind === 'gauge' ? isGauge : isCounter;
    return delta.series.every(isFitting) ? undefined : 'family';
  }
  const isEqual =
    boundaries.length === expected.length && boundaries.every((boundary, index) => boundary === expected[index]);
  return isEqual ? undefined : 'boundaries';
}

function isGauge(row: SeriesDelta): boolean {
  return 'last' in row;
}

function isCounter(row: SeriesDelta): boolean {
  return 'add' in row;
}

/** @returns what a series is worth that begins with this delta */
export function firstValue({ boundaries = [] }: Family, row: SeriesDelta): number | Histogram {
  if ('add' in row) return row.add;
  if ('last' in row) return Number(row.last);
  // a copy: the SDK's own list of fourteen has room for 37, and the SDK keeps it until its next collection
  const buckets = { boundaries: boundaries as number[], counts: row.buckets.slice() };
  return { buckets, sum: row.sum, count: row.count };
}

/** @returns what a series is worth, as a delta that begins another one; undefined for a gauge, which is measured anew */
export function wholeRow(
  { kind }: Family,
  { value, exponential }: Point,
): Pick<CounterDelta, 'add'> | Counts | undefined {
  if (kind === 'gauge') return undefined;
  if (typeof value === 'number') return { add: value };
  return {
    count: value.count,
    sum: value.sum ?? 0,
    buckets: value.buckets.counts,
    ...(exponential && { exponential }),
  };
}

/** Adds a delta to a total, in place. */
export function addTo(point: Changing<Point>, row: SeriesDelta): void {
  if ('add' in row) point.value = (point.value as number) + row.add;
  // the last value of a gauge is its total
  else if ('last' in row) point.value = Number(row.last);
  else {
    addExponentials(point, row);
    addBuckets(point.value as Histogram, row.count, row.sum, row.buckets);
  }
}

/** Processes may run with other settings than the hub: what has no exponential buckets is placed by its explicit ones. */
function addExponentials(point: Changing<Point>, { buckets, exponential }: HistogramDelta): void {
  if (point.exponential === undefined && exponential === undefined) return;
  const { boundaries, counts } = (point.value as Histogram).buckets;
  point.exponential ??= exponentialOfBuckets(boundaries, counts);
  addExponential(point.exponential, exponential ?? exponentialOfBuckets(boundaries, buckets));
}

/** As the SDK numbers the types of values. */
const VALUE_TYPES = { counter: 0, gauge: 1, histogram: 1 } as const satisfies Record<Family['kind'], ValueType>;

/** A family as the SDK hands it over. Without a unit: whoever writes metrics for Prometheus would add it to the name, which dashboards know as it is. */
export function metricData({ name, help, kind }: Family, points: readonly Point[]): MetricData {
  const descriptor = { name, description: help, unit: '', valueType: VALUE_TYPES[kind] };
  const common = { descriptor, aggregationTemporality: AggregationTemporality.CUMULATIVE };
  const numbers = points as DataPoint<number>[];
  switch (kind) {
    case 'counter':
      return { ...common, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints: numbers };
    case 'gauge':
      return { ...common, dataPointType: DataPointType.GAUGE, dataPoints: numbers };
    case 'histogram':
      return { ...common, dataPointType: DataPointType.HISTOGRAM, dataPoints: points as DataPoint<Histogram>[] };
  }
}
