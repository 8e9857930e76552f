/** What one family is recorded with: the series of a table, of which the SDK's instrument is told in time, or nothing. */
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

/** Any kind of family. */
export class SeriesRecorder implements FamilyCounter, FamilyValues {
  constructor(
    private readonly table: SeriesTable,
    private readonly onRecord: OnRecord,
  ) {}

  add(values: readonly string[], amount: number): void {
    this.onRecord(this.table.seriesOf(values), amount);
  }

  record(values: readonly string[], value: number): void {
    if (Number.isNaN(value)) throw new RangeError('a measurement that is not a number');
    this.onRecord(this.table.seriesOf(values), value);
  }

  seriesOf(values: readonly string[]): Series {
    return this.table.seriesOf(values);
  }
}
