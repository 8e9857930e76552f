/**
 * The measurements of one instrument since its last delta, by series.
 *
 * It takes the place of a synchronous instrument of the SDK, which sorts and hashes an object of attributes at each
 * record: that was the largest part of what a request cost (docs/performance.md). Here a series is found by its label
 * values, one map per label, and only a new series is checked against the limits. A test holds the sums equal to those
 * of the SDK's instruments under the same Views.
 */
import type { CounterDelta, FamilyDelta, GaugeDelta, HistogramDelta, SeriesDelta } from './deltas';

export interface AccumulatorOptions {
  /** Name of the family, from its View. */
  readonly family: string;
  /** Labels with the same value on every series; they stand first. */
  readonly fixed: Readonly<Record<string, string>>;
  /** Labels whose values each record brings, in their order. */
  readonly labels: readonly string[];
  /** Cleans and caps the label values of a new series. Values accepted once are returned unchanged. */
  readonly admit: (values: readonly string[]) => readonly string[];
  /** Gives the label values of the series that a new one is added to where there is no room for it; else undefined. */
  readonly fold: (values: readonly string[], size: number) => readonly string[] | undefined;
  /** Whether further values that are admitted as the second are found at once; as many may be as there are series. */
  readonly isKept: (values: readonly string[], admitted: readonly string[]) => boolean;
  /** Called at the first change of a series after its last delta. */
  readonly onChange: () => void;
}

interface Series {
  /** Of all labels, the fixed ones first. */
  readonly values: readonly string[];
  /** Since its last delta. */
  isChanged: boolean;
}

/** Series by the value of the first label, then the second, and so on. */
type Level<S> = Map<string, Level<S> | S>;

abstract class Accumulator<S extends Series> {
  private readonly root: Level<S> = new Map();
  private readonly fixedValues: readonly string[];
  /** Names of all labels, the fixed ones first. */
  readonly labels: readonly string[];
  private size = 0;
  private changed: S[] = [];

  constructor(private readonly options: AccumulatorOptions) {
    this.fixedValues = Object.values(options.fixed);
    this.labels = [...Object.keys(options.fixed), ...options.labels];
  }

  get family(): string {
    return this.options.family;
  }

  /** @returns the changes since the last call; undefined without any */
  take(): FamilyDelta | undefined {
    if (this.changed.length === 0) return undefined;
    const series = this.changed.map((each) => {
      each.isChanged = false;
      return this.takeDelta(each);
    });
    this.changed = [];
    return { family: this.options.family, labels: this.labels, ...this.shape(), series };
  }

  /** Finds or creates the series of these values, and marks it as changed. */
  protected seriesOf(values: readonly string[]): S {
    const series = this.find(values) ?? this.admit(values);
    if (!series.isChanged) {
      series.isChanged = true;
      this.changed.push(series);
      this.options.onChange();
    }
    return series;
  }

  protected abstract create(values: readonly string[]): S;

  /** Reads the delta of a series, and sets it back to zero. */
  protected abstract takeDelta(series: S): SeriesDelta;

  /** Fields of the delta that only one kind of family has. */
  protected shape(): Partial<FamilyDelta> {
    return {};
  }

  private find(values: readonly string[]): S | undefined {
    let level: Level<S> | S | undefined = this.root;
    for (let n = 0; n < values.length; n++) {
      level = (level as Level<S>).get(values[n] as string);
      if (level === undefined) return undefined;
    }
    return level as S;
  }

  private admit(values: readonly string[]): S {
    const { admit, fold, isKept } = this.options;
    let admitted = admit(values);
    let series = this.find(admitted);
    if (series === undefined) {
      const folded = fold(admitted, this.size);
      series = folded && this.find(folded);
      if (series !== undefined) return series;
      admitted = folded ?? admitted;
      series = this.create([...this.fixedValues, ...admitted]);
      this.insert(admitted, series);
      this.size++;
    }
    if (isKept(values, admitted)) this.insert(values, series);
    return series;
  }

  private insert(values: readonly string[], series: S): void {
    let level = this.root;
    for (const value of values.slice(0, -1)) {
      let next = level.get(value) as Level<S> | undefined;
      if (next === undefined) {
        next = new Map();
        level.set(value, next);
      }
      level = next;
    }
    level.set(values.at(-1) as string, series);
  }
}

interface HistogramSeries extends Series {
  count: number;
  sum: number;
  buckets: number[];
}

export class HistogramAccumulator extends Accumulator<HistogramSeries> {
  private readonly empty: readonly number[];

  /** @param boundaries inclusive upper bounds, ascending, in the unit of the recorded values */
  constructor(
    options: AccumulatorOptions,
    private readonly boundaries: readonly number[],
  ) {
    super(options);
    this.empty = new Array(boundaries.length + 1).fill(0);
  }

  /** @param values one for each label that is not fixed */
  record(values: readonly string[], value: number): void {
    const { boundaries } = this;
    const series = this.seriesOf(values);
    let bucket = 0;
    while (bucket < boundaries.length && value > (boundaries[bucket] as number)) bucket++;
    series.count++;
    series.sum += value;
    (series.buckets[bucket] as number)++;
  }

  protected create(values: readonly string[]): HistogramSeries {
    return { values, isChanged: false, count: 0, sum: 0, buckets: this.empty.slice() };
  }

  protected takeDelta(series: HistogramSeries): HistogramDelta {
    const { values, count, sum, buckets } = series;
    series.count = 0;
    series.sum = 0;
    series.buckets = this.empty.slice();
    return { values, count, sum, buckets };
  }

  protected override shape(): Partial<FamilyDelta> {
    return { boundaries: this.boundaries };
  }
}

interface NumberSeries extends Series {
  value: number;
}

export class CounterAccumulator extends Accumulator<NumberSeries> {
  /** @param amount not negative; zero creates the series without counting anything */
  add(values: readonly string[], amount: number): void {
    this.seriesOf(values).value += amount;
  }

  protected create(values: readonly string[]): NumberSeries {
    return { values, isChanged: false, value: 0 };
  }

  protected takeDelta(series: NumberSeries): CounterDelta {
    const { values, value } = series;
    series.value = 0;
    return { values, add: value };
  }
}

export class GaugeAccumulator extends Accumulator<NumberSeries> {
  record(values: readonly string[], value: number): void {
    this.seriesOf(values).value = value;
  }

  protected create(values: readonly string[]): NumberSeries {
    return { values, isChanged: false, value: 0 };
  }

  protected takeDelta({ values, value }: NumberSeries): GaugeDelta {
    return { values, last: value };
  }
}
