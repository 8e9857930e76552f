/** The lines of a table of observations, and their order. */
import type { History } from './history';
import { orderOf, type Percentile, percentile } from './percentiles';
import type { Kind } from './snapshot';
import type { CodeTotal, FamilyTotal, RowTotal } from './totals';

export const COLUMNS = ['name', 'rate', 'count', 'errors', 'mean', 'p50', 'p95', 'p99'] as const;
export type Column = (typeof COLUMNS)[number];

export interface Order {
  readonly column: Column;
  readonly isDescending: boolean;
}

/** What fails most stands first, and of equals what is slowest. */
export const FIRST_ORDER: Order = { column: 'errors', isDescending: true };

export interface Line {
  readonly key: string;
  readonly names: readonly string[];
  readonly rate: number | undefined;
  readonly count: number;
  /** 0 to 1. */
  readonly errors: number;
  readonly mean: number;
  readonly p50: Percentile | undefined;
  readonly p95: Percentile | undefined;
  readonly p99: Percentile | undefined;
  /** Failures first, then the most frequent. */
  readonly codes: readonly CodeTotal[];
}

export function lineOf(boundaries: FamilyTotal['boundaries'], row: RowTotal, rate: number | undefined): Line {
  const { key, names, count, counts } = row;
  const at = (part: number) => percentile(boundaries, counts, part);
  return {
    key,
    names,
    rate,
    count,
    errors: count > 0 ? row.failures / count : 0,
    mean: count > 0 ? row.sumMs / count : 0,
    p50: at(0.5),
    p95: at(0.95),
    p99: at(0.99),
    codes: byCode(row.codes.values()),
  };
}

/** @param isLately whether counts and durations are those of the last minute */
export function linesOf(history: History, kind: Kind, isLately: boolean): Line[] {
  const { boundaries, rows } = history.last?.families[kind] ?? { boundaries: [], rows: new Map<string, RowTotal>() };
  const lines: Line[] = [];
  for (const row of rows.values()) {
    const shown = isLately ? history.lately(kind, row) : row;
    if (shown !== undefined && shown.count > 0) lines.push(lineOf(boundaries, shown, history.rate(kind, row)));
  }
  return lines;
}

export function sorted(lines: readonly Line[], { column, isDescending }: Order): Line[] {
  const direction = isDescending ? -1 : 1;
  return [...lines].sort((a, b) => direction * compare(a, b, column) || compareRest(a, b));
}

function compare(a: Line, b: Line, column: Column): number {
  switch (column) {
    case 'name':
      return textOf(a) < textOf(b) ? -1 : Number(textOf(a) > textOf(b));
    case 'p50':
    case 'p95':
    case 'p99':
      return orderOf(a[column]) - orderOf(b[column]);
    case 'rate':
      return (a.rate ?? -1) - (b.rate ?? -1);
    default:
      return a[column] - b[column];
  }
}

/** Lines that are equal keep one order from scrape to scrape. */
function compareRest(a: Line, b: Line): number {
  return compare(b, a, 'errors') || compare(b, a, 'p95') || compare(b, a, 'mean') || compare(a, b, 'name');
}

function textOf({ names }: Line): string {
  return names.join(' ');
}

/** Statuses of one code are added up. */
function byCode(codes: Iterable<CodeTotal>): CodeTotal[] {
  const byText = new Map<string, CodeTotal>();
  for (const each of codes) {
    const key = `${each.code} ${each.isFailure}`;
    const known = byText.get(key);
    if (known === undefined) byText.set(key, { ...each });
    else known.count += each.count;
  }
  return [...byText.values()].sort((a, b) => Number(b.isFailure) - Number(a.isFailure) || b.count - a.count);
}
