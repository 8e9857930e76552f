/**
 * Long work in slices, between which the application has the event loop.
 *
 * The slices wait for a timer: an unref'ed setImmediate() does not wake a loop that sleeps, and one that is not would
 * keep a finished process for as long as scrapers poll it.
 */
import { nowMs } from './clock';

/** Half of what may be noticed: the clock is looked at between steps, and a collection of garbage may come on top. */
const SLICE_MS = 3;

export class TimeSlice {
  private since = nowMs();

  /** Whether the loop should be left to others. */
  isOver(): boolean {
    return nowMs() - this.since >= SLICE_MS;
  }

  /** Calls back when it is our turn again; never, where the process ends before. */
  next(callBack: () => void): void {
    setTimeout(() => {
      this.since = nowMs();
      callBack();
    }, 0).unref();
  }

  /** The same as a promise. */
  wait(): Promise<void> {
    return new Promise((resolve) => this.next(resolve));
  }
}
