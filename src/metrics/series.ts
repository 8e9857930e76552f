/**
 * Label sets, interned: each admitted set of label values of a family is one series, with a number.
 *
 * The SDK hashes the attributes of each record, and what that costs grows with their number (0.4 µs for one, 1.95 µs for
 * seven on Node 20). So our instruments record under the number of the series alone, on an object that is made once, and
 * the reader's side puts the labels back. A series is found by its label values, one after the other; only a new one is
 * checked against the limits.
 */
import type { Attributes } from '@opentelemetry/api';
import { type Family, FOLDED_SERIES } from '../views';
import type { SeriesValues } from './deltas';
import { OTHER } from './label-limits';

export interface SeriesTableOptions {
  /** Name of the family, from its View. */
  readonly family: string;
  readonly kind: Family['kind'];
  /** Of a histogram, from its View. */
  readonly boundaries: readonly number[] | undefined;
  /** Whether a histogram has exponential buckets beside them. */
  readonly isExponential?: boolean | undefined;
  /** Labels with the same value on every series; they stand first. */
  readonly fixed: Readonly<Record<string, string>>;
  /** Labels whose values each record brings, in their order. */
  readonly labels: readonly string[];
  /** Cleans and caps the label values of a new series. Values accepted once are returned unchanged. */
  readonly admit: (values: readonly string[]) => readonly string[];
  /** Series that the family may have. */
  readonly seriesLimit: number;
  /** Gives the label values of the series that a new one is added to where there is no room for it; else undefined. */
  readonly fold: (values: readonly string[], size: number) => readonly string[] | undefined;
  /** Whether further values that are admitted as the second are found at once; as many may be as there are series. */
  readonly isKept: (values: readonly string[], admitted: readonly string[]) => boolean;
  /** Whether all label values of a series have a path that is no route. */
  readonly isPath: (values: readonly string[]) => boolean;
  /** Records in the SDK's instrument of the family. */
  readonly write: (amount: number, attributes: Attributes) => void;
}

export interface Series {
  readonly table: SeriesTable;
  /** Of all labels, the fixed ones first. */
  readonly values: readonly string[];
  /** What is recorded in place of the labels. */
  readonly attributes: Attributes;
  /** When it was recorded first, in milliseconds of the Unix epoch. */
  readonly beganMs: number;
  /** Whether the reader has seen it. */
  isCollected: boolean;
}

/** The label that is looked up last: mostly the one with the most values, behind each of which there is nothing more then. */
const LAST_LABEL = 'path';
/** The attribute that numbers a series. */
const NUMBER = 's';

/** Series by the value of one label, then the next, and so on; behind the last label is the series itself. */
type Level = Map<string, Level> | OnlyValue | Series;

/** A label with one value so far, behind those before it, as most have: a Map of one entry takes four times the memory. */
class OnlyValue {
  constructor(
    readonly value: string,
    public next: Level,
  ) {}
}

/** All series of one family in this process, for its life. */
export class SeriesTable {
  private root: Level | undefined;
  /** Places of the labels that are not fixed, in the order in which they are looked up. */
  private readonly order: readonly number[];
  private readonly series: Series[] = [];
  private readonly fixedValues: readonly string[];
  readonly family: string;
  readonly kind: Family['kind'];
  /** Names of all labels, the fixed ones first. */
  readonly labels: readonly string[];
  /** Of a histogram. */
  readonly boundaries: readonly number[] | undefined;
  readonly isExponential: boolean;
  readonly write: SeriesTableOptions['write'];

  constructor(private readonly options: SeriesTableOptions) {
    this.family = options.family;
    this.kind = options.kind;
    this.fixedValues = Object.values(options.fixed);
    this.labels = [...Object.keys(options.fixed), ...options.labels];
    const places = options.labels.map((_, place) => place);
    this.order = places.sort(
      (a, b) => Number(options.labels[a] === LAST_LABEL) - Number(options.labels[b] === LAST_LABEL),
    );
    this.boundaries = options.boundaries;
    this.isExponential = options.isExponential === true;
    this.write = options.write;
  }

  /**
   * Finds or creates the series of label values.
   * @param values one for each label that is not fixed
   */
  seriesOf(values: readonly string[]): Series {
    return this.find(values) ?? this.admit(values);
  }

  /** @returns the series that was recorded under these attributes; undefined for what the SDK itself folded */
  recordedUnder(attributes: Attributes): Series | undefined {
    return this.series[attributes[NUMBER] as number];
  }

  /** @returns what a delta of the series has of it; what was a path may have become a route since the last */
  rowOf({ values }: Series): SeriesValues {
    return this.options.isPath(values) ? { values, isPath: true } : { values };
  }

  private find(values: readonly string[]): Series | undefined {
    const { order } = this;
    let level = this.root;
    for (let n = 0; n < order.length && level !== undefined; n++) {
      level = behind(level, values[order[n] as number] as string);
    }
    return level as Series | undefined;
  }

  private admit(values: readonly string[]): Series {
    const { admit, fold, isKept, seriesLimit } = this.options;
    let admitted = admit(values);
    let series = this.find(admitted);
    if (series === undefined) {
      const size = this.series.length;
      admitted = fold(admitted, size) ?? admitted;
      if (size >= seriesLimit + FOLDED_SERIES) admitted = admitted.map(() => OTHER);
      series = this.find(admitted) ?? this.begin(admitted);
    }
    if (isKept(values, admitted)) this.insert(values, series);
    return series;
  }

  private begin(values: readonly string[]): Series {
    const attributes = Object.freeze({ [NUMBER]: this.series.length });
    // spread would leave room for twenty
    const own = this.fixedValues.concat(values);
    const series = { table: this, values: own, attributes, beganMs: Date.now(), isCollected: false };
    this.series.push(series);
    this.insert(values, series);
    return series;
  }

  private insert(values: readonly string[], series: Series): void {
    const ordered = this.order.map((place) => values[place] as string);
    this.root = withSeries(this.root, ordered, 0, series);
  }
}

function behind(level: Level, value: string): Level | undefined {
  if (level instanceof OnlyValue) return level.value === value ? level.next : undefined;
  return (level as Map<string, Level>).get(value);
}

/** @returns the level, or one in its place, with the series behind the values from the n-th on */
function withSeries(level: Level | undefined, values: readonly string[], n: number, series: Series): Level {
  if (n === values.length) return series;
  const value = values[n] as string;
  const next = withSeries(level && behind(level, value), values, n + 1, series);
  if (level === undefined) return new OnlyValue(value, next);
  if (level instanceof OnlyValue) {
    if (level.value !== value) return new Map([[level.value, level.next]]).set(value, next);
    level.next = next;
  } else {
    (level as Map<string, Level>).set(value, next);
  }
  return level;
}
