/** What was noted, added up by series, on the way to becoming deltas. */
import type {
  CounterDelta,
  Deltas,
  FamilyDelta,
  GaugeDelta,
  HistogramDelta,
  SeriesDelta,
  SeriesValues,
} from './deltas';
import { emptyExponential, recordExponential } from './exponential';
import type { Series, SeriesTable } from './series';

/** A row may change until it is handed over. */
type Changing<T> = { -readonly [K in keyof T]: T[K] };
type Histogram = Changing<HistogramDelta> & { buckets: number[] };

export class Rows {
  private readonly rows = new Map<Series, SeriesDelta>();

  /** Adds one measurement, as the SDK's aggregation of the family's kind would. */
  record(series: Series, amount: number): void {
    const row = this.rows.get(series) ?? this.begin(series);
    if ('add' in row) (row as Changing<CounterDelta>).add += amount;
    else if ('last' in row) (row as Changing<GaugeDelta>).last = amount;
    else observe(row as Histogram, series.table.boundaries as readonly number[], amount);
  }

  /** @returns the rows by family, in the order in which they came */
  toDeltas(): Deltas {
    const families = new Map<SeriesTable, SeriesDelta[]>();
    for (const [{ table }, row] of this.rows) {
      const rows = families.get(table);
      if (rows === undefined) families.set(table, [row]);
      else rows.push(row);
    }
    return Array.from(families, ([{ family, labels, boundaries }, series]): FamilyDelta => {
      return { family, labels, ...(boundaries === undefined ? {} : { boundaries }), series };
    });
  }

  private begin(series: Series): SeriesDelta {
    const { table } = series;
    const row = emptyRow(table, table.rowOf(series));
    this.rows.set(series, row);
    return row;
  }
}

function emptyRow({ kind, boundaries, isExponential }: SeriesTable, labels: SeriesValues): SeriesDelta {
  switch (kind) {
    case 'counter':
      return { ...labels, add: 0 };
    case 'gauge':
      return { ...labels, last: 0 };
    case 'histogram':
      return {
        ...labels,
        count: 0,
        sum: 0,
        buckets: new Array<number>((boundaries?.length ?? 0) + 1).fill(0),
        ...(isExponential && { exponential: emptyExponential() }),
      };
  }
}

/** A boundary is an inclusive upper bound. */
function observe(row: Histogram, boundaries: readonly number[], amount: number): void {
  let bucket = 0;
  while (bucket < boundaries.length && amount > (boundaries[bucket] as number)) bucket++;
  row.count++;
  row.sum += amount;
  row.buckets[bucket] = (row.buckets[bucket] as number) + 1;
  if (row.exponential !== undefined) recordExponential(row.exponential, amount);
}
