/**
 * Shows a scraper the beginning of a series: zero once, and the true value from its next scrape on.
 *
 * A series that appears with 1 is invisible to rate() and increase(), which see differences alone. What it is about is
 * the first error of its kind, of which there may be no second. So a scraper that will come again is first shown where
 * a series began. It must never see a jump that did not happen: only what began since it was here last, and lately, is
 * zero; whatever is older was true when it happened.
 * @see https://github.com/prometheus/prometheus/issues/1673; docs/scrape.md, "The first occurrence"
 */
import type { DataPoint } from '@opentelemetry/sdk-metrics';
import { type LegacyMarks, type LegacyScraper, NEW_SERIES_MS } from '../metrics/legacy';
import type { SeenFromStart } from '../metrics/points';
import { millisecondsOf } from '../runtime/hr-time';

/** An increase that is shown later than this would be taken for one of now. */
const LATELY_MS = NEW_SERIES_MS;
/** The same at a scraper's first visit: another one may have seen what is older. */
const LATELY_AT_FIRST_MS = 60_000;
/** Scrapers that are remembered; then the one that has been away longest is forgotten. */
const MAX_SCRAPERS = 64;

/** Who asks: one that comes again keeps its connection, or opens another one under its name. */
export interface Scraper {
  /** Of its address and program; of two replicas on one machine it is the same. */
  readonly name: string;
  readonly connection: { readonly destroyed: boolean };
}

/** What a scraper has not seen yet: series that arrived from a mark on, and began at or after a time. */
export interface Unseen {
  /** As of `ServiceTotals.mark()`. */
  readonly fromMark: number;
  /** Milliseconds of the Unix epoch. */
  readonly begunMs: number;
}

/** One scrape of a scraper that will come again. */
export interface Visit {
  readonly unseen: Unseen;
  /** Call when the answer has been taken whole. @param mark of the collection that it shows */
  taken(mark: number): void;
}

/** Whether a series is zero to a scraper. */
export function isUnseen(point: DataPoint<unknown> & Partial<SeenFromStart>, unseen: Unseen): boolean {
  const { arrival } = point;
  return arrival !== undefined && arrival >= unseen.fromMark && millisecondsOf(point.startTime) >= unseen.begunMs;
}

/** A scraper, and the mark of the last answer that it took whole. */
interface Known {
  readonly name: string;
  connection: Scraper['connection'];
  mark: number;
  /** Of the answer before: what arrived from there on was zero in the last one. At the first visit that one's. */
  former: number;
}

/** Of a scraper that was here when another process had the port. */
const CLOSED = { destroyed: true };

export class Beginnings {
  /** Who was here last stands last. */
  private readonly scrapers = new Set<Known>();
  /** Until when nobody is taken to be here for the first time, in milliseconds of the Unix epoch. */
  private forgetsUntilMs = 0;
  /** Series that arrived before were there when another hub ended: whoever is not known may have seen them. */
  private firstMark = 0;

  /** @returns undefined where everything is to be true at once */
  visit(scraper: Scraper): Visit | undefined {
    const known = this.find(scraper);
    // it may be one that was forgotten, to which a second zero would be a jump
    if (known === undefined && Date.now() < this.forgetsUntilMs) return undefined;
    const latelyMs = known === undefined ? LATELY_AT_FIRST_MS : LATELY_MS;
    // it may be a known one that gave up, whose last connection is not closed yet
    const formers = [...this.scrapers].filter(({ name }) => name === scraper.name).map(({ former }) => former);
    return {
      unseen: { fromMark: known?.mark ?? Math.max(this.firstMark, ...formers), begunMs: Date.now() - latelyMs },
      taken: (mark) => this.remember(this.find(scraper) ?? { ...scraper, mark, former: mark }, mark, known?.mark),
    };
  }

  /** @returns who has been here, for the next hub */
  leave(): LegacyScraper[] {
    return Array.from(this.scrapers, ({ name, mark, former }) => ({ name, mark, former }));
  }

  /** Goes on where another hub has ended. */
  inherit({ mark, scrapers }: LegacyMarks): void {
    this.firstMark = mark;
    for (const each of scrapers.slice(0, MAX_SCRAPERS)) this.scrapers.add({ ...each, connection: CLOSED });
  }

  /** The one with this connection, or the one that had another under this name and has closed it. */
  private find({ name, connection }: Scraper): Known | undefined {
    const named = [...this.scrapers].filter((each) => each.name === name);
    const same = named.find((each) => each.connection === connection);
    const [gone, ...others] = named.filter((each) => each.connection.destroyed);
    if (same !== undefined || gone === undefined) return same;
    // which of several it is cannot be told: what each of them has been shown at zero, or not at all, is zero once more;
    // to see too few zeros is no jump, to see one after the value is
    if (others.length > 0) {
      const former = Math.max(gone.former, ...others.map((other) => other.former));
      for (const each of [gone, ...others]) Object.assign(each, { mark: former, former });
    }
    gone.connection = connection;
    return gone;
  }

  /** @param fromMark what it was shown of at zero */
  private remember(known: Known, mark: number, fromMark = mark): void {
    // of two scrapes at a time the earlier one may be taken later
    if (mark > known.mark) known.former = Math.max(known.mark, fromMark);
    known.mark = Math.max(known.mark, mark);
    this.scrapers.delete(known);
    this.scrapers.add(known);
    if (this.scrapers.size <= MAX_SCRAPERS) return;
    for (const longestAway of this.scrapers) {
      this.scrapers.delete(longestAway);
      break;
    }
    this.forgetsUntilMs = Date.now() + LATELY_AT_FIRST_MS;
  }
}
