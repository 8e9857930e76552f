/**
 * Adds up what was measured since the last collection to what was measured before.
 *
 * It takes deltas, of this process now and of further ones later, and produces the totals that a scrape shows. With
 * one process it is the sum of one; totals of several could not be added without counting the dead twice.
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
import { METER_NAME } from '../views/metric-names';
import { ApplicationFamilies } from './application-families';
import { addHistogram, copyOf, type Value } from './values';

/** Where deltas come from. */
export interface DeltaSource {
  /** What was measured since the last call. */
  collect(): Promise<CollectionResult>;
}

interface FamilyTotals {
  readonly family: Family;
  readonly series: Map<string, DataPoint<Value>>;
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
  ) {
    this.totals = new Map(catalogue.map((family) => [family.name, { family, series: new Map() }]));
    this.application = new ApplicationFamilies(catalogue);
  }

  /** @returns totals since the start; errors of the collection are handed on */
  async collect(): Promise<CollectionResult> {
    const { resourceMetrics, errors } = await this.own.collect();
    this.application.begin();
    this.add(resourceMetrics);
    return { resourceMetrics: this.produce(resourceMetrics), errors };
  }

  private add({ scopeMetrics }: ResourceMetrics): void {
    for (const { scope, metrics } of scopeMetrics) if (scope.name !== METER_NAME) this.application.add(scope, metrics);
    const own = scopeMetrics.filter(({ scope }) => scope.name === METER_NAME);
    for (const metric of own.flatMap(({ metrics }) => metrics)) {
      const totals = this.totals.get(metric.descriptor.name);
      if (totals === undefined) continue;
      for (const point of metric.dataPoints) addPoint(totals, point as DataPoint<Value>);
    }
  }

  private produce(source: ResourceMetrics): ResourceMetrics {
    const endTime = hrTimeNow();
    const shown = [...this.totals.values()].filter(
      ({ family, series }) => series.size > 0 || family.isShown?.() !== false,
    );
    const metrics = shown.map((totals) => metricData(totals, this.startTime, endTime));
    metrics.push(...this.application.produce(this.startTime, endTime));
    return { resource: source.resource, scopeMetrics: [{ scope: { name: METER_NAME }, metrics }] };
  }
}

function addPoint({ family, series }: FamilyTotals, point: DataPoint<Value>): void {
  const key = seriesKey(point.attributes);
  const total = series.get(key);
  // the last value of a gauge is its total
  if (total === undefined || family.kind === 'gauge') series.set(key, { ...point, value: copyOf(point.value) });
  else if (typeof total.value === 'number') (total as { value: number }).value += point.value as number;
  else addHistogram(total.value, point.value as Histogram);
}

/** Attributes are created in one order per family, so that equal ones have equal texts. */
function seriesKey(attributes: Attributes): string {
  return JSON.stringify(Object.values(attributes));
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
