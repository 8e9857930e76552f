/**
 * The instruments of one family each: they find the series of label values, and record its number in the SDK's
 * instrument.
 */
import type { Counter, Gauge, Histogram } from '@opentelemetry/api';
import { ROOT_CONTEXT } from './sdk';
import type { Series, SeriesTable } from './series';

/** Told which tables there are, and what is recorded. */
export interface RecordListener {
  readonly recorded: (series: Series, amount: number) => void;
  register(table: SeriesTable): void;
}
type OnRecord = RecordListener['recorded'];

/** A counter of one family. */
export class FamilyCounter {
  constructor(
    private readonly instrument: Counter,
    private readonly table: SeriesTable,
    private readonly onRecord: OnRecord,
  ) {}

  /**
   * @param values one for each label that is not fixed
   * @param amount not negative; zero creates the series without counting anything
   */
  add(values: readonly string[], amount: number): void {
    const series = this.seriesOf(values);
    this.instrument.add(amount, series.attributes, ROOT_CONTEXT);
    this.onRecord(series, amount);
  }

  /** @returns the series that counts under these labels */
  seriesOf(values: readonly string[]): Series {
    return this.table.seriesOf(values);
  }
}

/** A histogram, or a gauge, of one family. */
export class FamilyValues {
  constructor(
    private readonly instrument: Histogram | Gauge,
    private readonly table: SeriesTable,
    private readonly onRecord: OnRecord,
  ) {}

  /**
   * @param values one for each label that is not fixed
   * @throws RangeError for a value that is no number, which the SDK would leave out without a word
   */
  record(values: readonly string[], value: number): void {
    if (Number.isNaN(value)) throw new RangeError('a measurement that is not a number');
    const series = this.table.seriesOf(values);
    this.instrument.record(value, series.attributes, ROOT_CONTEXT);
    this.onRecord(series, value);
  }
}
