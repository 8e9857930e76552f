/**
 * Totals of what the application measures itself, in this process and in its members.
 *
 * They have no catalogue: a family begins with its first observation, under the name that Prometheus sees. A name
 * belongs to the instrument that had it first, and to us before all. What no process has observed this time of an
 * observable instrument is not shown, as with a custom collector of a Prometheus client; its sum is kept.
 */
import type { HrTime } from '@opentelemetry/api';
import type { DataPoint, MetricData } from '@opentelemetry/sdk-metrics';
import { warn } from '../diagnostics/log';
import { reportClash } from '../diagnostics/name-clash';
import type { Family } from '../views';
import { sampleNames } from '../views/prometheus-names';
import { AggregationTemporality, DataPointType } from '../views/sdk-constants';
import { applicationLabelValue, OVERFLOW } from './application-deltas';
import type { ApplicationInstrument, FamilyDelta, GaugeDelta, SeriesDelta } from './deltas';
import { addBuckets, type Value } from './values';

/** Why series of the application are not added. */
export type ApplicationDrop = 'clash' | 'boundaries' | 'series';

type Point = { -readonly [K in keyof DataPoint<Value>]: DataPoint<Value>[K] };

interface Series {
  readonly point: Point;
  /** When the value of a gauge was recorded, in ms since the epoch. */
  at: number;
}

interface Totals {
  readonly name: string;
  readonly instrument: ApplicationInstrument;
  readonly boundaries: readonly number[] | undefined;
  readonly series: Map<string, Series>;
  /** Keys of the series that were observed since the last collection has begun. */
  seen: Set<string>;
  /** The same of the collection before. */
  seenBefore: ReadonlySet<string>;
}

/** A family of the application's, as a member or this process hands it over. */
export type ApplicationFamilyDelta = FamilyDelta & { readonly instrument: ApplicationInstrument };

/** Owner of our own names. */
const METER_OF_OURS = '';
/** What members may begin, whatever they send: families, and series of all of them in multiples of the limit of one. */
const MAX_FAMILIES = 1_000;
const MAX_FULL_FAMILIES = 20;

/** Of new series. */
interface Beginning {
  readonly startTime: HrTime;
  /** As of `SeenFromStart`. */
  readonly arrival: number;
}

export class ApplicationTotals {
  private readonly families = new Map<string, Totals>();
  /** Sample names to the owner of each. */
  private readonly claims = new Map<string, string>();
  private size = 0;

  /**
   * @param catalogue our own families
   * @param seriesLimit series that a family may have
   * @param endTime of all points, kept up to date by the caller
   */
  constructor(
    catalogue: readonly Family[],
    private readonly seriesLimit: number,
    private readonly endTime: HrTime,
  ) {
    for (const { name, boundaries } of catalogue) {
      for (const sample of sampleNames(name, boundaries === undefined ? 'counter' : 'histogram')) {
        this.claims.set(sample, METER_OF_OURS);
      }
    }
  }

  /** First: a collection begins, and all processes are asked for what their observable instruments observe. */
  begin(): void {
    for (const totals of this.families.values()) {
      totals.seenBefore = totals.seen;
      totals.seen = new Set();
    }
  }

  /** Next, where some processes did not answer in time: what they may have observed is shown as it was. */
  keepUnseen(): void {
    for (const { seen, seenBefore } of this.families.values()) for (const key of seenBefore) seen.add(key);
  }

  /**
   * Adds deltas, at any time.
   * @param beginning of the series that come with it
   * @param isOwn whether they are this process's, which are not bounded in their number beyond the limit of each family
   * @returns why its series were not added, and how many
   */
  add(
    delta: ApplicationFamilyDelta,
    beginning: Beginning,
    isOwn: boolean,
  ): { reason: ApplicationDrop; count: number } | undefined {
    const totals = this.totalsOf(delta, isOwn);
    if (typeof totals === 'string') return { reason: totals, count: delta.series.length };
    const order = delta.labels.map((_, place) => place).sort((a, b) => compare(delta.labels[a], delta.labels[b]));
    let dropped = 0;
    for (const row of delta.series) {
      const values = isOwn ? row.values : row.values.map(applicationLabelValue);
      const key = order.map((place) => `${delta.labels[place]}=${JSON.stringify(values[place])}`).join();
      if (!this.addRow(totals, key, () => labelled(delta.labels, values), row, beginning, isOwn)) dropped++;
    }
    return dropped > 0 ? { reason: 'series', count: dropped } : undefined;
  }

  /** Last: everything that is shown. */
  produce(): MetricData[] {
    return Array.from(this.families.values(), ({ name, instrument, series, seen }) => {
      const { kind, help, unit, isObservable } = instrument;
      const shown = isObservable
        ? [...series].filter(([key]) => seen.has(key)).map(([, each]) => each)
        : series.values();
      return {
        descriptor: { name, description: help || 'description missing', unit, valueType: 1 },
        aggregationTemporality: AggregationTemporality.CUMULATIVE,
        ...POINTS[kind],
        dataPoints: Array.from(shown, ({ point }) => point),
      } as MetricData;
    });
  }

  private totalsOf(delta: ApplicationFamilyDelta, isOwn: boolean): Totals | ApplicationDrop {
    const { family: name, instrument, boundaries } = delta;
    const known = this.families.get(name);
    if (known?.instrument.owner === instrument.owner) {
      return isSame(known.boundaries, boundaries) ? known : 'boundaries';
    }
    const names = sampleNames(name, instrument.kind === 'histogram' ? 'histogram' : 'gauge');
    const taken = names.find((sample) => this.claims.has(sample));
    if (taken !== undefined) {
      const holder = this.claims.get(taken) === METER_OF_OURS ? 'a family of channel-exporter' : 'another instrument';
      reportClash(`the meter ${instrument.meter}`, [name], holder);
      return 'clash';
    }
    if (!isOwn && this.families.size >= MAX_FAMILIES) return 'series';
    for (const sample of names) this.claims.set(sample, instrument.owner);
    const totals = {
      name,
      instrument,
      boundaries,
      series: new Map(),
      seen: new Set<string>(),
      seenBefore: new Set<string>(),
    };
    this.families.set(name, totals);
    return totals;
  }

  /** @returns false where there is no room for another series */
  private addRow(
    totals: Totals,
    key: string,
    labels: () => Readonly<Record<string, string>>,
    row: SeriesDelta,
    beginning: Beginning,
    isOwn: boolean,
  ): boolean {
    const known = totals.series.get(key);
    if (known !== undefined) addTo(known, row);
    else if (totals.series.size < this.seriesLimit || key === OVERFLOW_KEY) {
      if (!isOwn && this.size >= this.seriesLimit * MAX_FULL_FAMILIES) return false;
      this.size++;
      const value = firstValue(row, totals.boundaries);
      const { startTime, arrival } = beginning;
      const point = { startTime, endTime: this.endTime, attributes: labels(), value };
      if (isCounted(totals.instrument)) Object.assign(point, { arrival });
      totals.series.set(key, { point, at: timeOf(row) });
    } else {
      const text = `${totals.name} has had its ${this.seriesLimit} series; further ones are added up in one, with the label otel_metric_overflow`;
      warn('CHX_SERIES_OVERFLOW', totals.name, text);
      return this.addRow(totals, OVERFLOW_KEY, () => OVERFLOW, row, beginning, isOwn);
    }
    totals.seen.add(key);
    return true;
  }
}

/** Whether a series counts from zero on, as this service has seen it: what an observable tells may be older. */
function isCounted({ kind, isObservable }: Totals['instrument']): boolean {
  return !isObservable && (kind === 'counter' || kind === 'histogram');
}

const OVERFLOW_KEY = Object.entries(OVERFLOW)
  .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
  .join();

/** What the SDK says of the points of each kind. */
const POINTS = {
  counter: { dataPointType: DataPointType.SUM, isMonotonic: true },
  upDownCounter: { dataPointType: DataPointType.SUM, isMonotonic: false },
  gauge: { dataPointType: DataPointType.GAUGE },
  histogram: { dataPointType: DataPointType.HISTOGRAM },
} as const;

function addTo(series: Series, row: SeriesDelta): void {
  const { point } = series;
  if ('add' in row) point.value = (point.value as number) + row.add;
  else if ('count' in row) addBuckets(point.value as Exclude<Value, number>, row.count, row.sum, row.buckets);
  else if (timeOf(row) >= series.at) {
    point.value = Number(row.last);
    series.at = timeOf(row);
  }
}

function firstValue(row: SeriesDelta, boundaries: readonly number[] = []): Value {
  if ('add' in row) return row.add;
  if ('last' in row) return Number(row.last);
  const buckets = { boundaries: [...boundaries], counts: [...row.buckets] };
  return { buckets, sum: row.sum, count: row.count };
}

/** Not later than now: one wrong clock must not hold the gauge for ever. */
function timeOf(row: SeriesDelta): number {
  return Math.min((row as GaugeDelta).at ?? 0, Date.now());
}

function labelled(labels: readonly string[], values: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(labels.map((label, place) => [label, values[place] as string]));
}

function compare(one = '', other = ''): number {
  return one < other ? -1 : 1;
}

function isSame(one: readonly number[] | undefined, other: readonly number[] | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one.length === other.length && one.every((boundary, index) => boundary === other[index]);
}
