/**
 * Adds up what was measured since the last collection to what was measured before.
 *
 * It takes deltas, of this process and of its members (members.ts), and produces the totals that a scrape shows.
 * With one process it is the sum of one; totals of several could not be added without counting the dead twice.
 */
import type { Attributes, HrTime } from '@opentelemetry/api';
import {
  AggregationTemporality,
  type CollectionResult,
  type DataPoint,
  DataPointType,
  type Histogram,
  type MetricData,
  type MetricProducer,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import type { Family } from '../views';
import { SERIES_PER_COLLECTION } from '../views/limits';
import { METER_NAME } from '../views/metric-names';
import { ApplicationFamilies } from './application-families';
import type { CounterDelta, Deltas, FamilyDelta, HistogramDelta } from './deltas';
import { addHistogram, copyOf, type Value } from './values';

/** Where deltas come from. */
export interface DeltaSource {
  /** What was measured since the last call. */
  collect(): Promise<CollectionResult>;
  /** The same at once, for a process that ends; undefined where it cannot be had without waiting. */
  collectNow?(): ResourceMetrics | undefined;
}

/** Why a member's deltas were not added; a refused message (members.ts) is `nonsense`. */
export const DROP_REASONS = ['nonsense', 'family', 'boundaries', 'series'] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/** A sample of a family that is not measured but known when the scrape is written. */
export interface StateSample {
  readonly family: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface FamilyTotals {
  readonly family: Family;
  readonly series: Map<string, DataPoint<Value>>;
}

export interface HubOptions {
  /** Called before own deltas are taken; brings in those of members. */
  readonly gather?: () => Promise<void>;
  /** Read after everything is added. */
  readonly state?: () => readonly StateSample[];
}

export class Hub implements MetricProducer {
  private readonly totals: ReadonlyMap<string, FamilyTotals>;
  private readonly application: ApplicationFamilies;
  private readonly startTime: HrTime = hrTimeNow();

  /**
   * @param catalogue every family of our own meter, shown also without observations; the application's meters come
   *   behind, under names that are not in it
   * @param own deltas of this process
   */
  constructor(
    catalogue: readonly Family[],
    private readonly own: DeltaSource,
    private readonly options: HubOptions = {},
  ) {
    this.totals = new Map(catalogue.map((family) => [family.name, { family, series: new Map() }]));
    this.application = new ApplicationFamilies(catalogue);
  }

  /** @returns totals since the start; errors of the collection are handed on */
  async collect(): Promise<CollectionResult> {
    await this.options.gather?.();
    const { resourceMetrics, errors } = await this.own.collect();
    this.application.begin();
    this.add(resourceMetrics);
    return { resourceMetrics: this.produce(resourceMetrics), errors };
  }

  /** Adds a member's deltas. @returns how many series were dropped, and why */
  addDeltas(deltas: Deltas): ReadonlyMap<DropReason, number> {
    const dropped = new Map<DropReason, number>();
    const drop = (reason: DropReason, count: number) => dropped.set(reason, (dropped.get(reason) ?? 0) + count);
    for (const delta of deltas) {
      const totals = this.totals.get(delta.family);
      const fault = totals === undefined ? 'family' : faultOf(delta, totals.family);
      if (totals === undefined || fault !== undefined) {
        drop(fault ?? 'family', delta.series.length);
        continue;
      }
      const names = delta.labels.join();
      for (const row of delta.series) {
        const key = seriesKey(names, row.values);
        // each process bounds its label values, but a hub outlives many processes
        if (!totals.series.has(key) && totals.series.size >= SERIES_PER_COLLECTION) drop('series', 1);
        else addPoint(totals, key, toPoint(delta, row, this.startTime));
      }
    }
    return dropped;
  }

  private add({ scopeMetrics }: ResourceMetrics): void {
    for (const { scope, metrics } of scopeMetrics) if (scope.name !== METER_NAME) this.application.add(scope, metrics);
    const own = scopeMetrics.filter(({ scope }) => scope.name === METER_NAME);
    for (const metric of own.flatMap(({ metrics }) => metrics)) {
      const totals = this.totals.get(metric.descriptor.name);
      if (totals === undefined) continue;
      for (const point of metric.dataPoints as DataPoint<Value>[]) {
        const { attributes } = point;
        const key = seriesKey(Object.keys(attributes).join(), Object.values(attributes));
        addPoint(totals, key, point);
      }
    }
  }

  private produce(source: ResourceMetrics): ResourceMetrics {
    const endTime = hrTimeNow();
    const state = this.options.state?.() ?? [];
    const shown = [...this.totals.values()].filter(
      ({ family, series }) => series.size > 0 || family.isShown?.() !== false,
    );
    const metrics = shown.map((totals) => {
      if (totals.family.instrument !== undefined) return metricData(totals, this.startTime, endTime);
      const samples = state.filter(({ family }) => family === totals.family.name);
      return metricData({ ...totals, series: statePoints(samples, this.startTime) }, this.startTime, endTime);
    });
    metrics.push(...this.application.produce(this.startTime, endTime));
    return { resource: source.resource, scopeMetrics: [{ scope: { name: METER_NAME }, metrics }] };
  }
}

/** A member may run with other settings than the hub, or with another version of this package. */
function faultOf(delta: FamilyDelta, family: Family): DropReason | undefined {
  if (family.instrument === undefined) return 'family';
  const { boundaries = [] } = family;
  const isHistogram = family.boundaries !== undefined;
  if ((delta.boundaries !== undefined) !== isHistogram) return 'family';
  const isEqual =
    delta.boundaries === undefined ||
    (delta.boundaries.length === boundaries.length &&
      delta.boundaries.every((boundary, index) => boundary === boundaries[index]));
  return isEqual ? undefined : 'boundaries';
}

function toPoint(delta: FamilyDelta, row: CounterDelta | HistogramDelta, startTime: HrTime): DataPoint<Value> {
  const attributes = Object.fromEntries(delta.labels.map((label, index) => [label, row.values[index] as string]));
  const value =
    'add' in row
      ? row.add
      : {
          buckets: { boundaries: [...(delta.boundaries ?? [])], counts: [...row.buckets] },
          sum: row.sum,
          count: row.count,
        };
  return { startTime, endTime: startTime, attributes, value };
}

function statePoints(samples: readonly StateSample[], startTime: HrTime): Map<string, DataPoint<Value>> {
  return new Map(
    samples.map(({ labels, value }) => [
      seriesKey('', Object.values(labels)),
      { startTime, endTime: startTime, attributes: labels, value },
    ]),
  );
}

function addPoint({ family, series }: FamilyTotals, key: string, point: DataPoint<Value>): void {
  const total = series.get(key);
  // the last value of a gauge is its total
  if (total === undefined || family.kind === 'gauge') series.set(key, { ...point, value: copyOf(point.value) });
  else if (typeof total.value === 'number') (total as { value: number }).value += point.value as number;
  else addHistogram(total.value, point.value as Histogram);
}

/** Attributes are created in one order per family, so that equal ones have equal texts. */
function seriesKey(names: string, values: readonly Attributes[string][]): string {
  return names + JSON.stringify(values);
}

function metricData({ family, series }: FamilyTotals, startTime: HrTime, endTime: HrTime): MetricData {
  const descriptor = { name: family.name, description: family.help, unit: '', valueType: 0 };
  const dataPoints = Array.from(series.values(), (point) => ({ ...point, startTime, endTime }));
  const aggregationTemporality = AggregationTemporality.CUMULATIVE;
  const common = { descriptor, aggregationTemporality };
  switch (family.kind) {
    case 'counter':
      return {
        ...common,
        dataPointType: DataPointType.SUM,
        isMonotonic: true,
        dataPoints: dataPoints as DataPoint<number>[],
      };
    case 'gauge':
      return { ...common, dataPointType: DataPointType.GAUGE, dataPoints: dataPoints as DataPoint<number>[] };
    case 'histogram':
      return { ...common, dataPointType: DataPointType.HISTOGRAM, dataPoints: dataPoints as DataPoint<Histogram>[] };
  }
}

function hrTimeNow(): HrTime {
  const now = Date.now();
  return [Math.floor(now / 1000), (now % 1000) * 1_000_000];
}
