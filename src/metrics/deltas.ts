/**
 * What was measured since the last collection, in the form in which it travels: without clocks and SDK types. Deltas of
 * several processes can be added; totals could not be without counting a process that has died twice.
 */

import type { Exponential } from './exponential';

/** Label values of one series, in the order of the family's labels. */
export interface SeriesValues {
  readonly values: readonly string[];
  /** Whether its path is none that a framework reported; absent where it is, or where there is no path. */
  readonly isPath?: boolean;
  /**
   * When it was recorded first, in milliseconds of the Unix epoch; with its first delta alone, and not of a gauge.
   */
  readonly begin?: number;
  /** As of `SeenFromStart`; of totals that a hub leaves to the next one alone, see ./legacy. */
  readonly arrival?: number;
}

/** What was added to one series. */
export interface CounterDelta extends SeriesValues {
  /** Negative for nothing but up-down counters of the application. */
  readonly add: number;
}

/** What JSON has no number for. */
export const NON_FINITE = ['NaN', 'Infinity', '-Infinity'] as const;

/** One series of a gauge: the last of its values stands. */
export interface GaugeDelta extends SeriesValues {
  readonly last: number | (typeof NON_FINITE)[number];
  /** When it was recorded, in ms since the epoch; of the application's gauges, whose newest value wins. */
  readonly at?: number;
}

export interface HistogramDelta extends SeriesValues {
  readonly count: number;
  readonly sum: number;
  /** One more than there are boundaries. */
  readonly buckets: readonly number[];
  /** The same measurements once more, where they are pushed by OTLP as such; of our own families alone. */
  readonly exponential?: Exponential;
}

export type SeriesDelta = CounterDelta | GaugeDelta | HistogramDelta;

/** What the application's own instruments are; an observable one is of the same kind. */
export const INSTRUMENT_KINDS = ['counter', 'upDownCounter', 'gauge', 'histogram'] as const;

/** The instrument of the application that a family belongs to. */
export interface ApplicationInstrument {
  readonly kind: (typeof INSTRUMENT_KINDS)[number];
  readonly isObservable: boolean;
  /** Empty where the application gives none, as the unit. */
  readonly help: string;
  readonly unit: string;
  /** Name of its meter. */
  readonly meter: string;
  /** The same for the same instrument in every process, and for no other. */
  readonly owner: string;
}

export const LIBRARY_TYPES = ['counter', 'gauge', 'histogram', 'summary'] as const;
export const LIBRARY_ORIGINS = ['prom-client', '@prometheus-io/client'] as const;

/** A metric that another library of the application holds; each of its samples is a series, a bucket too. */
export interface LibraryMetric {
  readonly origin: string;
  readonly type: (typeof LIBRARY_TYPES)[number];
  readonly help: string;
  /** How its values of several processes become one. */
  readonly aggregator: string;
  /** Name of the sample, which may differ from that of the family. */
  readonly sample: string;
}

/** What was added to one family, for series with the same labels. */
export interface FamilyDelta {
  readonly family: string;
  readonly labels: readonly string[];
  /** Of a histogram; absent for other kinds. */
  readonly boundaries?: readonly number[];
  /** Absent for our own families. */
  readonly instrument?: ApplicationInstrument;
  /** Absent for all that is measured by instruments. */
  readonly library?: LibraryMetric;
  readonly series: readonly SeriesDelta[];
}

export type Deltas = readonly FamilyDelta[];
