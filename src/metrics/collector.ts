/**
 * The reader's side: collects deltas from the SDK and puts the labels back that the series stand for.
 *
 * What is collected stays here until it is taken, so that a process that ends between the two hands it over too.
 */
import type { MetricData, ScopeMetrics } from '@opentelemetry/sdk-metrics';
import { METER_NAME } from '../views/metric-names';
import { AggregationTemporality, DataPointType } from '../views/sdk-constants';
import { applicationDeltas } from './application-deltas';
import type { ApplicationJournal } from './application-journal';
import type { Deltas } from './deltas';
import { Journal } from './journal';
import { Rows } from './rows';
import { MetricReader } from './sdk';
import type { Series, SeriesTable } from './series';
import type { DeltaSource } from './totals';

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
    return [...this.take(), ...this.journal.take(), ...this.applicationJournal.take()];
  }

  /** @returns errors of the application's own instruments */
  private async collectOnce(): Promise<readonly unknown[]> {
    await this.journal.begin();
    this.applicationJournal.begin();
    let isCollected = false;
    try {
      const { resourceMetrics, errors } = await this.reader.collect();
      // in one step with what follows: nothing may be both collected and noted when the process ends
      const rows = this.rowsOf(resourceMetrics.scopeMetrics.filter(isOurs).flatMap(({ metrics }) => metrics));
      const applications = resourceMetrics.scopeMetrics.filter((scope) => !isOurs(scope));
      const deltas = applicationDeltas(applications, this.applicationJournal.timeOf);
      this.applicationJournal.end(applications);
      this.collected = [...this.collected, ...rows.toDeltas(), ...deltas];
      isCollected = true;
      return errors;
    } finally {
      this.journal.end(isCollected);
    }
  }

  private rowsOf(metrics: readonly MetricData[]): Rows {
    const rows = new Rows();
    for (const metric of metrics) {
      const table = this.tables.get(metric.descriptor.name);
      if (table !== undefined) addRows(rows, table, metric);
    }
    return rows;
  }
}

function isOurs({ scope }: ScopeMetrics): boolean {
  return scope.name === METER_NAME;
}

function addRows(rows: Rows, table: SeriesTable, metric: MetricData): void {
  for (const { attributes, value } of metric.dataPoints) {
    const series = table.recordedUnder(attributes);
    if (series === undefined) continue;
    const row = table.rowOf(series);
    const first = series.isCollected ? {} : { begin: series.beganMs };
    series.isCollected = true;
    if (typeof value === 'number') {
      const isGauge = metric.dataPointType === DataPointType.GAUGE;
      rows.set(series, isGauge ? { ...row, last: value } : { ...row, ...first, add: value });
    } else if ('buckets' in value) {
      rows.set(series, { ...row, ...first, count: value.count, sum: value.sum ?? 0, buckets: value.buckets.counts });
    }
  }
}
