/** Bounds what a piece of work takes on average, where most pieces are cheap and a hostile one is not. */
import { nowMs } from '../runtime/clock';

export class TimeAllowance {
  private leftMs: number;

  /**
   * @param perPieceMs what one piece may take on average
   * @param burstMs what may be spent beyond that at first, and after many cheap pieces
   */
  constructor(
    private readonly perPieceMs: number,
    private readonly burstMs: number,
  ) {
    this.leftMs = burstMs;
  }

  /**
   * Does a piece of work, which may throw, and takes its time off the allowance.
   * @returns undefined without doing it, where too much was spent on those before
   */
  spend<Result>(work: () => Result): Result | undefined {
    this.leftMs = Math.min(this.leftMs + this.perPieceMs, this.burstMs);
    if (this.leftMs <= 0) return undefined;
    const startedMs = nowMs();
    try {
      return work();
    } finally {
      this.leftMs -= nowMs() - startedMs;
    }
  }
}
