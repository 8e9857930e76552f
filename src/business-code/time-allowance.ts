/** Bounds what a piece of work takes on average, where most pieces are cheap and a hostile one is not. */
import { nowMs } from '../runtime/clock';

/** Windows counts the time of a process in steps of a hundred times a piece. */
const HAS_PROCESSOR_TIME = process.platform !== 'win32';

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
   * Does a piece of work, which may throw, and takes its time off the allowance: time of the processor, so that a machine
   * that is busy with other programs does not use it up.
   * @returns undefined without doing it, where too much was spent on those before
   */
  spend<Result>(work: () => Result): Result | undefined {
    this.leftMs = Math.min(this.leftMs + this.perPieceMs, this.burstMs);
    if (this.leftMs <= 0) return undefined;
    const startedMs = nowMs();
    const processor = HAS_PROCESSOR_TIME ? process.cpuUsage() : undefined;
    try {
      return work();
    } finally {
      this.leftMs -= this.taken(nowMs() - startedMs, processor);
    }
  }

  private taken(elapsedMs: number, began: NodeJS.CpuUsage | undefined): number {
    if (began === undefined || elapsedMs <= this.perPieceMs) return elapsedMs;
    // that of all threads of the process: where others are busy, it may be more than has elapsed
    return Math.min(elapsedMs, processorMs(began));
  }
}

function processorMs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
}
