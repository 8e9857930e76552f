/**
 * Long work in slices, between which the application has the event loop.
 *
 * The slices wait for a timer: an unref'ed setImmediate() does not wake a loop that sleeps, and one that is not would
 * keep a finished process for as long as scrapers poll it.
 */
import { nowMs } from './clock';

/** Half of what may be noticed: the clock is looked at between steps, and a collection of garbage may come on top. */
const SLICE_MS = 3;
/** Longest time between two works of which one follows on the other in the same turn of the loop. */
const FOLLOWS_MS = 0.2;

/** The slice that was looked at last: work that follows on at once shares what is left of it. */
const last = { sinceMs: Number.NEGATIVE_INFINITY, lookedMs: Number.NEGATIVE_INFINITY };

export class TimeSlice {
  private sinceMs: number;

  constructor() {
    const now = nowMs();
    this.sinceMs = now - last.lookedMs < FOLLOWS_MS ? last.sinceMs : now;
  }

  /** Whether the loop should be left to others. */
  isOver(): boolean {
    last.sinceMs = this.sinceMs;
    last.lookedMs = nowMs();
    return last.lookedMs - this.sinceMs >= SLICE_MS;
  }

  /** Calls back when it is our turn again; never, where the process ends before. */
  next(callBack: () => void): void {
    setTimeout(() => {
      this.sinceMs = nowMs();
      callBack();
    }, 0).unref();
  }

  /** The same as a promise. */
  wait(): Promise<void> {
    return new Promise((resolve) => this.next(resolve));
  }
}
