/** What the page remembers of earlier scrapes: for rates, for the last minute, for curves, and for codes that are new. */
import { KINDS, type Kind, type Snapshot } from './snapshot';
import { type RowTotal, since, whole } from './totals';

const MINUTE_MS = 60_000;
/** Points of a curve; at five seconds each they are five minutes. */
const CURVE_POINTS = 60;
/** Codes that are called new; a service that sends data as codes has thousands. */
const MAX_NEW = 500;

/** In place of a row's key: all rows of a kind. */
export const WHOLE = '\u0002';

/** A code that was not there when the page was opened. */
export interface NewCode {
  readonly kind: Kind;
  readonly names: readonly string[];
  readonly code: string;
  readonly isFailure: boolean;
  /** Milliseconds of the Unix epoch. */
  readonly seenMs: number;
}

export class History {
  private readonly kept: Snapshot[] = [];
  /** Codes by `kind row code`; undefined before the first scrape. */
  private known: Set<string> | undefined;
  private readonly added = new Map<string, NewCode>();
  /** Observations a second, by `kind row`. */
  private readonly curves = new Map<string, number[]>();

  get last(): Snapshot | undefined {
    return this.kept[this.kept.length - 1];
  }

  /** The scrape that {@link History.lately} begins with. */
  get first(): Snapshot | undefined {
    return this.kept[0];
  }

  get newCodes(): readonly NewCode[] {
    return [...this.added.values()];
  }

  /** @param nowMs of the Unix epoch. @returns codes that are new with this scrape */
  add(snapshot: Snapshot, nowMs: number): readonly NewCode[] {
    const { last } = this;
    this.kept.push(snapshot);
    while (this.kept.length > 2 && snapshot.atMs - (this.kept[1] as Snapshot).atMs >= MINUTE_MS) this.kept.shift();
    if (last !== undefined) this.addToCurves(snapshot, last);
    return this.noteCodes(snapshot, nowMs);
  }

  /** Seconds that {@link History.lately} covers; 0 before the second scrape. */
  get secondsLately(): number {
    const { last, kept } = this;
    return last === undefined ? 0 : (last.atMs - (kept[0] as Snapshot).atMs) / 1_000;
  }

  /** What a row observed in the last minute, or since the page was opened. */
  lately(kind: Kind, row: RowTotal): RowTotal | undefined {
    const first = this.kept[0];
    if (first === undefined || first === this.last) return undefined;
    return since(row, first.families[kind].rows.get(row.key));
  }

  /** Observations a second; undefined before the second scrape. */
  rate(kind: Kind, row: RowTotal): number | undefined {
    const lately = this.lately(kind, row);
    return lately && lately.count / this.secondsLately;
  }

  /** @param key of a row, or {@link WHOLE} */
  curve(kind: Kind, key: string): readonly number[] {
    return this.curves.get(`${kind} ${key}`) ?? [];
  }

  isNew(kind: Kind, key: string, code: string): boolean {
    return this.added.has(keyOf(kind, key, code));
  }

  private addToCurves(now: Snapshot, before: Snapshot): void {
    const seconds = (now.atMs - before.atMs) / 1_000;
    const add = (key: string, count: number) => {
      const points = this.curves.get(key) ?? [];
      this.curves.set(key, points);
      points.push(count / seconds);
      if (points.length > CURVE_POINTS) points.shift();
    };
    for (const kind of KINDS) {
      const { rows } = now.families[kind];
      for (const row of rows.values())
        add(`${kind} ${row.key}`, since(row, before.families[kind].rows.get(row.key)).count);
      add(`${kind} ${WHOLE}`, since(whole(now.families[kind]), whole(before.families[kind])).count);
    }
  }

  private noteCodes({ families }: Snapshot, seenMs: number): readonly NewCode[] {
    const isFirst = this.known === undefined;
    this.known ??= new Set();
    const found: NewCode[] = [];
    for (const kind of KINDS) {
      for (const { key, names, codes } of families[kind].rows.values()) {
        for (const { code, isFailure } of codes.values()) {
          const place = keyOf(kind, key, code);
          if (this.known.has(place)) continue;
          this.known.add(place);
          // an answer without a code shows none
          if (isFirst || code === '' || code === '-1' || this.added.size >= MAX_NEW) continue;
          const each = { kind, names, code, isFailure, seenMs };
          this.added.set(place, each);
          found.push(each);
        }
      }
    }
    return found;
  }
}

function keyOf(kind: Kind, key: string, code: string): string {
  return `${kind}\u0001${key}\u0001${code}`;
}
