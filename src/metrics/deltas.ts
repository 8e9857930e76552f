/**
 * What was measured since the last collection, in the form in which it travels: without clocks and SDK types. Deltas of
 * several processes can be added; totals could not be without counting a process that has died twice.
 */

/** One series: its label values in the order of the family's labels, and what was added to it. */
export interface CounterDelta {
  readonly values: readonly string[];
  /** When it was recorded first, in milliseconds of the Unix epoch; with its first delta alone. */
  readonly begin?: number;
  readonly add: number;
}

/** One series of a gauge: the last of its values stands. */
export interface GaugeDelta {
  readonly values: readonly string[];
  readonly last: number;
}

export interface HistogramDelta {
  readonly values: readonly string[];
  /** As of a counter. */
  readonly begin?: number;
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
