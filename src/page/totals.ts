/** Adds up the series of one family by what a row of the page stands for, and subtracts an earlier scrape from it. */
import type { CodeMeanings } from './outcome';
import type { Sample } from './scrape-text';

/** Observations of one code of one row. */
export interface CodeTotal {
  readonly code: string;
  readonly status: string;
  readonly isFailure: boolean;
  count: number;
}

/** All observations of a path, of a partner's action, or of a topic. */
export interface RowTotal {
  readonly key: string;
  /** The texts of the row: path; partner and action code; topic. */
  readonly names: readonly string[];
  count: number;
  sumMs: number;
  failures: number;
  /** Of each bucket alone, the infinite one last. */
  counts: number[];
  readonly codes: Map<string, CodeTotal>;
}

export interface FamilyTotal {
  /** Milliseconds, without the infinite one. */
  readonly boundaries: readonly number[];
  readonly rows: ReadonlyMap<string, RowTotal>;
  readonly series: number;
}

export const EMPTY_FAMILY: FamilyTotal = { boundaries: [], rows: new Map(), series: 0 };

/** Takes the samples of one family, in whatever order. */
export class FamilyReader {
  private readonly rows = new Map<string, RowTotal>();
  /** Of each row, cumulative counts by boundary. */
  private readonly buckets = new Map<string, Map<number, number>>();
  private series = 0;

  /** @param labels those that make the row */
  constructor(
    private readonly family: string,
    private readonly labels: readonly string[],
    private readonly meanings: CodeMeanings,
  ) {}

  add({ name, labels, value }: Sample): void {
    const names = this.labels.map((label) => labels[label] ?? '');
    const key = names.join('\u0000');
    const row = this.rows.get(key) ?? { key, names, count: 0, sumMs: 0, failures: 0, counts: [], codes: new Map() };
    this.rows.set(key, row);
    if (name.endsWith('_sum')) row.sumMs += value;
    else if (name.endsWith('_bucket')) {
      const boundary = labels.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels.le);
      const counts = this.buckets.get(key) ?? new Map<number, number>();
      this.buckets.set(key, counts.set(boundary, (counts.get(boundary) ?? 0) + value));
    } else this.addCount(row, labels, value);
  }

  private addCount(row: RowTotal, labels: Sample['labels'], value: number): void {
    this.series++;
    const { code = '', http_status: status = '' } = labels;
    const isFailure = this.meanings.isFailure(this.family, labels);
    const key = `${code} ${status}`;
    const total = row.codes.get(key) ?? { code, status, isFailure, count: 0 };
    row.codes.set(key, total);
    total.count += value;
    row.count += value;
    if (isFailure) row.failures += value;
  }

  total(): FamilyTotal {
    const all = new Set([...this.buckets.values()].flatMap((counts) => [...counts.keys()]));
    const boundaries = [...all].sort((a, b) => a - b);
    for (const [key, counts] of this.buckets) {
      const row = this.rows.get(key) as RowTotal;
      let before = 0;
      row.counts = boundaries.map((boundary) => {
        const below = counts.get(boundary) ?? before;
        const alone = below - before;
        before = below;
        return alone;
      });
    }
    return { boundaries: boundaries.filter(Number.isFinite), rows: this.rows, series: this.series };
  }
}

/**
 * What was observed between two scrapes.
 * @returns the later row itself where the earlier one has more: the service has begun anew in between
 */
export function since(later: RowTotal, earlier: RowTotal | undefined): RowTotal {
  if (earlier === undefined || earlier.count > later.count) return later;
  const codes = new Map<string, CodeTotal>();
  let failures = 0;
  for (const [key, total] of later.codes) {
    const count = total.count - (earlier.codes.get(key)?.count ?? 0);
    if (count <= 0) continue;
    codes.set(key, { ...total, count });
    if (total.isFailure) failures += count;
  }
  return {
    ...later,
    codes,
    failures,
    count: later.count - earlier.count,
    sumMs: Math.max(later.sumMs - earlier.sumMs, 0),
    counts: later.counts.map((count, index) => Math.max(count - (earlier.counts[index] ?? 0), 0)),
  };
}

/** All rows as one. */
export function whole({ rows }: FamilyTotal): RowTotal {
  const sum: RowTotal = { key: '', names: [], count: 0, sumMs: 0, failures: 0, counts: [], codes: new Map() };
  for (const row of rows.values()) {
    sum.count += row.count;
    sum.sumMs += row.sumMs;
    sum.failures += row.failures;
    sum.counts = row.counts.map((count, index) => count + (sum.counts[index] ?? 0));
  }
  return sum;
}
