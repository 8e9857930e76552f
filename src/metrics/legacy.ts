/**
 * What a hub leaves to the next one when it ends by itself: its totals as they stand, and which of them scrapers have
 * seen. With it the counters go on where they were, so that to every scraper, whatever it took last, the difference is
 * what happened.
 *
 * It is good for a hub that nobody has scraped yet, right after the one that left it; to any other, totals that come
 * later would be a jump (docs/processes.md, "What a hub leaves").
 */
import { millisecondsOf } from '../runtime/hr-time';
import type { Family } from '../views';
import type { Deltas, SeriesDelta } from './deltas';
import { type Point, wholeRow } from './points';
import type { FamilyRoom } from './series-room';

/** A scraper that will come again, and how far it has been shown new series. */
export interface LegacyScraper {
  readonly name: string;
  /** As of `ServiceTotals.mark()`: of the last answer that it took whole. */
  readonly mark: number;
  /** Series that arrived from here on were zero to it, or are not known to it. */
  readonly former: number;
}

/** What a hub knows of scrapers. */
export interface LegacyMarks {
  /** Higher than the arrival of every series that is left. */
  readonly mark: number;
  readonly scrapers: readonly LegacyScraper[];
}

/** Totals, and marks; each series with its beginning, and with its arrival where some scraper may not know it yet. */
export interface Legacy extends LegacyMarks {
  readonly totals: Deltas;
  /** What their pushes are named by, so that the next hub's are the same streams; absent where nothing is pushed. */
  readonly instance?: string | undefined;
}

/** Series that began before are known to every scraper that will come again, or were true when they were seen first. */
export const NEW_SERIES_MS = 5 * 60_000;

/** The totals of one family. */
export interface FamilyPoints {
  readonly family: Family;
  readonly points: readonly Point[];
}

/**
 * @param rooms of the families that tell paths from routes
 * @returns the totals of counters and histograms as they stand, new series of all families first
 */
export function wholeTotals(totals: readonly FamilyPoints[], rooms: ReadonlyMap<string, FamilyRoom>): Deltas {
  const newMs = Date.now() - NEW_SERIES_MS;
  const isNew = ({ startTime }: Point) => millisecondsOf(startTime) >= newMs;
  const wholeOf = (areNew: boolean) => totals.flatMap((each) => wholeFamily(each, rooms, isNew, areNew));
  return [...wholeOf(true), ...wholeOf(false)];
}

function wholeFamily(
  { family, points }: FamilyPoints,
  rooms: ReadonlyMap<string, FamilyRoom>,
  isNew: (point: Point) => boolean,
  areNew: boolean,
): Deltas {
  const room = rooms.get(family.name);
  const rows: SeriesDelta[] = [];
  for (const point of points) {
    const whole = isNew(point) === areNew ? wholeRow(family, point) : undefined;
    if (whole === undefined) continue;
    const values = Object.values(point.attributes) as string[];
    const isPath = room?.isPath(values) === true;
    const begin = millisecondsOf(point.startTime);
    const arrival = areNew && point.arrival !== undefined ? { arrival: point.arrival } : {};
    rows.push({ values, ...(isPath && { isPath }), begin, ...arrival, ...whole });
  }
  const [first] = points;
  if (rows.length === 0 || first === undefined) return [];
  const { boundaries } = family;
  return [
    { family: family.name, labels: Object.keys(first.attributes), ...(boundaries && { boundaries }), series: rows },
  ];
}
