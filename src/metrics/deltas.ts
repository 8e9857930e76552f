/**
 * What was measured since the last collection, in the form in which it travels: without clocks and SDK types. Deltas of
 * several processes can be added; totals could not be without counting a process that has died twice.
 */

/** Label values of one series, in the order of the family's labels. */
export interface SeriesValues {
  readonly values: readonly string[];
  /** Whether its path is none that a framework reported; absent where it is, or where there is no path. */
  readonly isPath?: boolean;
  /**
   * When it was recorded first, in milliseconds of the Unix epoch; with its first delta alone, and not of a gauge.
   */
  readonly begin?: number;
}

/** What was added to one series. */
export interface CounterDelta extends SeriesValues {
  readonly add: number;
}

/** One series of a gauge: the last of its values stands. */
export interface GaugeDelta extends SeriesValues {
  readonly last: number;
}

export interface HistogramDelta extends SeriesValues {
  readonly count: number;
  readonly sum: number;
  /** One more than there are boundaries. */
  readonly buckets: readonly number[];
}

export type SeriesDelta = CounterDelta | GaugeDelta | HistogramDelta;

/** What was added to one family, for series with the same labels. */
export interface FamilyDelta {
  readonly family: string;
  readonly labels: readonly string[];
  /** Of a histogram; absent for other kinds. */
  readonly boundaries?: readonly number[];
  readonly series: readonly SeriesDelta[];
}

export type Deltas = readonly FamilyDelta[];
