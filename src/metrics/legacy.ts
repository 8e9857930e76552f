/**
 * What a hub leaves to the next one when it ends by itself: its totals as they stand, and which of them scrapers have
 * seen. With it the counters go on where they were, so that to every scraper, whatever it took last, the difference is
 * what happened.
 *
 * It is good for a hub that nobody has scraped yet, right after the one that left it; to any other, totals that come
 * later would be a jump (docs/processes.md, "What a hub leaves").
 */
import type { Deltas } from './deltas';

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
