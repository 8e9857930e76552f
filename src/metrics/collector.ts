/**
 * The reader's side: collects deltas from the SDK and puts the labels back that the series stand for.
 *
 * The SDK collects in one step, and the labels are put back in time slices: for thousands of series that is most of the
 * work. What is collected stays here until it is taken, so that a process that ends between the two hands it over too.
 */
import type { DataPoint, ExponentialHistogram, Histogram, MetricData, ScopeMetrics } from '@opentelemetry/sdk-metrics';
import { TimeSlice } from '../runtime/time-slice';
import { exponentialName } from '../views';
import { METER_NAME } from '../views/metric-names';
import { AggregationTemporality, DataPointType } from '../views/sdk-constants';
import { applicationDeltas } from './application-deltas';
import type { ApplicationJournal } from './application-journal';
import type { CounterDelta, Deltas, FamilyDelta, GaugeDelta, HistogramDelta, SeriesDelta } from './deltas';
import { exponentialOf } from './exponential';
import { Journal } from './journal';
import { MetricReader } from './sdk';
import type { Series, SeriesTable } from './series';
import type { DeltaSource } from './totals';

/** Of our instruments; exponential histograms are second streams of theirs. */
type Point = DataPoint<number> | DataPoint<Histogram>;
/** A delta may change until it is handed over. */
type Changing<T> = { -readonly [K in keyof T]: T[K] };

/** Series of a family that are worth waiting for another turn of the loop. */
const MANY = 512;
/** Of them, between two looks at the clock. */
const STEP = 16;

/** Collects when it is asked to, what was recorded since the last time. */
export class DeltaReader extends MetricReader {
  /** @param seriesLimit of instruments that no View limits: the application's */
  constructor(seriesLimit: number) {
    super({
      aggregationTemporalitySelector: () => AggregationTemporality.DELTA,
      cardinalitySelector: () => seriesLimit,
    });
  }

  protected override async onForceFlush(): Promise<void> {}

  protected override async onShutdown(): Promise<void> {}
}

export interface CollectorOptions {
  /** Called at each record. */
  readonly onRecord: () => void;
  /** The series that counts lost measurements of a family; undefined where they are not counted. */
  readonly lostSeries: (family: string) => Series | undefined;
  /** Of the application's own instruments. */
  readonly applicationJournal: ApplicationJournal;
}

export class Collector implements DeltaSource {
  /** By family. */
  private readonly tables = new Map<string, SeriesTable>();
  private readonly journal: Journal;
  private readonly applicationJournal: ApplicationJournal;
  private readonly onRecord: () => void;
  private collected: Deltas = [];
  /** Puts back the labels of what the last collection has read; the rest of it, while that is under way. */
  private labelling: Iterable<void> = [];
  /** Settles when the last collection has ended: each is complete before the next begins. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly reader: DeltaReader,
    { onRecord, lostSeries, applicationJournal }: CollectorOptions,
  ) {
    this.journal = new Journal(({ table }) => lostSeries(table.family));
    this.applicationJournal = applicationJournal;
    this.onRecord = onRecord;
  }

  /** Call with the table of each instrument of ours, before it records. */
  register(table: SeriesTable): void {
    this.tables.set(table.family, table);
  }

  /** @returns each family's label names, in the order of their values in deltas */
  familyLabels(): ReadonlyMap<string, readonly string[]> {
    return new Map(Array.from(this.tables, ([family, { labels }]) => [family, labels]));
  }

  /** Call with each measurement of a family of ours; bound, so that it can be handed over. */
  readonly recorded = (series: Series, amount: number): void => {
    this.journal.note(series, amount);
    this.onRecord();
  };

  /** The same of what makes this process no one that measures. */
  readonly noted = (series: Series, amount: number): void => this.journal.note(series, amount);

  collect(): Promise<readonly unknown[]> {
    const collection = this.last.then(() => this.collectOnce());
    this.last = collection.catch(() => undefined);
    return collection;
  }

  take(): Deltas {
    const { collected } = this;
    this.collected = [];
    return collected;
  }

  takeNow(): Deltas {
    for (const _step of this.labelling);
    return [...this.take(), ...this.journal.take(), ...this.applicationJournal.take()];
  }

  /** @returns errors of the application's own instruments */
  private async collectOnce(): Promise<readonly unknown[]> {
    await this.journal.begin();
    this.applicationJournal.begin();
    const slice = new TimeSlice();
    let isCollected = false;
    let errors: readonly unknown[];
    try {
      const collection = await this.reader.collect();
      errors = collection.errors;
      // in one step with what follows: nothing may be both collected and noted when the process ends
      const { scopeMetrics } = collection.resourceMetrics;
      this.labelling = this.label(scopeMetrics.filter(isOurs).flatMap(({ metrics }) => metrics));
      const applications = scopeMetrics.filter((scope) => !isOurs(scope));
      const deltas = applicationDeltas(applications, this.applicationJournal.timeOf);
      this.applicationJournal.end(applications);
      this.collected = [...this.collected, ...deltas];
      isCollected = true;
    } finally {
      this.journal.end(isCollected);
    }
    for (const _step of this.labelling) if (slice.isOver()) await slice.wait();
    return errors;
  }

  /** Adds what was collected of each family, a few series a step. */
  private *label(metrics: readonly MetricData[]): Generator<void> {
    for (const metric of metrics) {
      const table = this.tables.get(metric.descriptor.name);
      if (table === undefined) continue;
      const { family, labels, boundaries } = table;
      const isGauge = metric.dataPointType === DataPointType.GAUGE;
      const isLong = metric.dataPoints.length >= MANY;
      const series: SeriesDelta[] = [];
      const second = table.isExponential
        ? metrics.find(({ descriptor }) => descriptor.name === exponentialName(family))
        : undefined;
      const exponentials = second && new Map<Series | undefined, ExponentialHistogram>();
      for (const { attributes, value } of second?.dataPoints ?? []) {
        exponentials?.set(table.recordedUnder(attributes), value as ExponentialHistogram);
        if (isLong && exponentials?.size && exponentials.size % STEP === 0) yield;
      }
      for (let index = 0; index < metric.dataPoints.length; index++) {
        const point = metric.dataPoints[index] as Point;
        const own = table.recordedUnder(point.attributes);
        if (own !== undefined) series.push(rowOf(own, point, isGauge, exponentials?.get(own)));
        if (isLong && index % STEP === 0) yield;
      }
      const delta: FamilyDelta = { family, labels, ...(boundaries === undefined ? {} : { boundaries }), series };
      if (series.length > 0) this.collected = [...this.collected, delta];
    }
  }
}

function isOurs({ scope }: ScopeMetrics): boolean {
  return scope.name === METER_NAME;
}

/** A delta a field at a time: objects spread into another cost several times as much. */
function rowOf(
  series: Series,
  { value }: Point,
  isGauge: boolean,
  second: ExponentialHistogram | undefined,
): SeriesDelta {
  const row: Changing<Partial<CounterDelta & GaugeDelta & HistogramDelta>> = series.table.rowOf(series);
  const isFirst = !series.isCollected;
  series.isCollected = true;
  if (isFirst && !isGauge) row.begin = series.beganMs;
  if (typeof value !== 'number') {
    row.count = value.count;
    row.sum = value.sum ?? 0;
    row.buckets = value.buckets.counts;
    const exponential = second && exponentialOf(second, value.count);
    if (exponential !== undefined) row.exponential = exponential;
  } else if (isGauge) row.last = value;
  else row.add = value;
  return row as SeriesDelta;
}
