/**
 * Totals of what the application measures itself through meters of our provider.
 *
 * They have no catalogue: a family begins with its first observation, under the name that Prometheus sees. A name
 * belongs to whoever had it first, and to us before all. What an observable instrument did not observe this time is
 * not shown, as with a custom collector of a Prometheus client; its sum is kept.
 */
import type { Attributes, HrTime } from '@opentelemetry/api';
import type { DataPoint, Histogram, MetricData, ScopeMetrics } from '@opentelemetry/sdk-metrics';
import { errorText, warn } from '../diagnostics/log';
import { reportClash } from '../diagnostics/name-clash';
import type { Family } from '../views';
import { prometheusFamilyName, prometheusLabelName, sampleNames } from '../views/prometheus-names';
import { AggregationTemporality, DataPointType } from '../views/sdk-constants';
import { addHistogram, copyOf, type Value } from './values';

type Scope = ScopeMetrics['scope'];

interface Totals {
  /** The instrument that the name belongs to. */
  readonly owner: string;
  readonly sample: MetricData;
  readonly name: string;
  readonly isObservable: boolean;
  readonly series: Map<string, DataPoint<Value>>;
  /** Series of this collection. */
  readonly seen: Set<string>;
}

/** Owner of our own names. */
const METER_OF_OURS = '';
/** As the SDK labels what is beyond its own limit. */
const OVERFLOW = { otel_metric_overflow: 'true' } as const;

export class ApplicationTotals {
  private readonly families = new Map<string, Totals>();
  /** Sample names to the owner of each. */
  private readonly claims = new Map<string, string>();

  /**
   * @param catalogue our own families
   * @param seriesLimit series that a family may have
   */
  constructor(
    catalogue: readonly Family[],
    private readonly seriesLimit: number,
  ) {
    for (const { name, boundaries } of catalogue) {
      for (const sample of sampleNames(name, boundaries === undefined ? 'counter' : 'histogram')) {
        this.claims.set(sample, METER_OF_OURS);
      }
    }
  }

  /** First: a collection begins. */
  begin(): void {
    for (const { seen } of this.families.values()) seen.clear();
  }

  /** Second: adds what one meter has measured since the last collection. */
  add(scope: Scope, metrics: readonly MetricData[]): void {
    for (const metric of metrics) {
      try {
        const totals = this.totalsOf(scope, metric);
        if (totals === undefined) continue;
        for (const point of metric.dataPoints) this.addPoint(totals, metric, point as DataPoint<Value>);
      } catch (error) {
        // whatever an application put in must not cost the scrape
        warn('CHX_INTERNAL', 'meter', `a family of the meter ${scope.name} could not be added up: ${errorText(error)}`);
      }
    }
  }

  /** Last: everything that is shown. */
  produce(startTime: HrTime, endTime: HrTime): MetricData[] {
    return Array.from(this.families.values(), ({ name, sample, series, seen, isObservable }) => ({
      ...sample,
      descriptor: {
        ...sample.descriptor,
        name,
        description: String(sample.descriptor.description || 'description missing'),
      },
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
      dataPoints: [...series]
        .filter(([key]) => !isObservable || seen.has(key))
        .map(([, point]) => ({ ...point, startTime, endTime })),
    })) as MetricData[];
  }

  private totalsOf(scope: Scope, metric: MetricData): Totals | undefined {
    const { descriptor, dataPointType } = metric;
    const isCounter = dataPointType === DataPointType.SUM && metric.isMonotonic;
    const instrument = String(descriptor.name);
    const name = prometheusFamilyName(instrument, isCounter);
    if (name === undefined || dataPointType === DataPointType.EXPONENTIAL_HISTOGRAM) return undefined;
    const { unit, valueType } = descriptor;
    const owner = JSON.stringify([scope, dataPointType, isCounter, instrument.toLowerCase(), unit, valueType]);
    const known = this.families.get(name);
    if (known?.owner === owner) return known;

    const names = sampleNames(name, dataPointType === DataPointType.HISTOGRAM ? 'histogram' : 'gauge');
    const taken = names.find((sample) => this.claims.has(sample));
    if (taken !== undefined) {
      const holder = this.claims.get(taken) === METER_OF_OURS ? 'a family of channel-exporter' : 'another instrument';
      reportClash(`the meter ${scope.name}`, [name], holder);
      return undefined;
    }
    for (const sample of names) this.claims.set(sample, owner);
    const totals = {
      owner,
      sample: metric,
      name,
      isObservable: isObservable(metric),
      series: new Map(),
      seen: new Set<string>(),
    };
    this.families.set(name, totals);
    return totals;
  }

  private addPoint(totals: Totals, metric: MetricData, point: DataPoint<Value>): void {
    const { series, seen } = totals;
    let attributes = labelsOf(point.attributes, metric.dataPointType);
    let key = seriesKey(attributes);
    if (!series.has(key) && series.size >= this.seriesLimit) {
      const text = `${totals.name} has had its ${this.seriesLimit} series; further ones are added up in one, with the label otel_metric_overflow`;
      warn('CHX_SERIES_OVERFLOW', totals.name, text);
      attributes = OVERFLOW;
      key = seriesKey(attributes);
    }
    seen.add(key);
    const total = series.get(key);
    if (total === undefined) series.set(key, { ...point, attributes, value: copyOf(point.value) });
    else if (metric.dataPointType === DataPointType.GAUGE) (total as { value: Value }).value = point.value;
    else if (typeof total.value === 'number') (total as { value: number }).value += point.value as number;
    else addHistogram(total.value, point.value as Histogram);
  }
}

/** The descriptor that the SDK hands over is the instrument's own and says its kind, though the type does not. */
function isObservable({ descriptor }: MetricData): boolean {
  return String((descriptor as { type?: unknown }).type).startsWith('OBSERVABLE');
}

/** Attributes as labels: two sets that would be written alike are one series. */
function labelsOf(attributes: Attributes, type: DataPointType): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [attribute, value] of Object.entries(attributes)) {
    const text = typeof value === 'string' ? value : (JSON.stringify(value ?? '') ?? '');
    const name = prometheusLabelName(attribute);
    // the boundary's own label
    const free = name === 'le' && type === DataPointType.HISTOGRAM ? 'exported_le' : name;
    labels[free] = text.replace(/\p{Surrogate}/gu, '\uFFFD');
  }
  return labels;
}

function seriesKey(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}
