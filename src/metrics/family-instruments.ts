/** What one family is recorded with: an instrument of the SDK's under the series of a table, or nothing. */
import type { Counter, Gauge, Histogram } from '@opentelemetry/api';
import { ROOT_CONTEXT } from './sdk';
import type { Series, SeriesTable } from './series';

/** Told of each measurement. */
export type OnRecord = (series: Series, amount: number) => void;

export interface FamilyCounter {
  /**
   * @param values one for each label that is not fixed
   * @param amount not negative; zero creates the series without counting anything
   */
  add(values: readonly string[], amount: number): void;
  /** @returns the series that counts under these labels; undefined where nothing does */
  seriesOf(values: readonly string[]): Series | undefined;
}

/** A histogram, or a gauge. */
export interface FamilyValues {
  /**
   * @param values one for each label that is not fixed
   * @throws RangeError for a value that is no number, which the SDK would leave out without a word
   */
  record(values: readonly string[], value: number): void;
}

/** Of a family that a View drops. */
export const DROPPED: FamilyCounter & FamilyValues = {
  add: () => undefined,
  record: () => undefined,
  seriesOf: () => undefined,
};

export class SeriesCounter implements FamilyCounter {
  constructor(
    private readonly instrument: Counter,
    private readonly table: SeriesTable,
    private readonly onRecord: OnRecord,
  ) {}

  add(values: readonly string[], amount: number): void {
    const series = this.seriesOf(values);
    this.instrument.add(amount, series.attributes, ROOT_CONTEXT);
    this.onRecord(series, amount);
  }

  seriesOf(values: readonly string[]): Series {
    return this.table.seriesOf(values);
  }
}

export class SeriesRecorder implements FamilyValues {
  constructor(
    private readonly instrument: Histogram | Gauge,
    private readonly table: SeriesTable,
    private readonly onRecord: OnRecord,
  ) {}

  record(values: readonly string[], value: number): void {
    if (Number.isNaN(value)) throw new RangeError('a measurement that is not a number');
    const series = this.table.seriesOf(values);
    this.instrument.record(value, series.attributes, ROOT_CONTEXT);
    this.onRecord(series, value);
  }
}
