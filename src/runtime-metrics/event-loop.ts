/**
 * How busy the event loop is, and how long it lets callbacks wait.
 *
 * The delay is sampled by a timer of Node's own, in native code, fifty times a second. A process at rest would be
 * woken by nothing else, so it is sampled only while the loop has work: from the first scrape that finds it busy, until
 * it has been idle for a few seconds. At rest the delays are that of one callback at the scrape.
 */
import { type IntervalHistogram, monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { nowMs } from '../runtime/clock';
import type { Reading } from './reading';

/** Between two samples: half as often as by default, at half the cost. It is part of each sample, and taken off. */
const RESOLUTION_MS = 20;
/** How often it is looked whether the loop has work, while it is sampled. */
const LOOK_MS = 5_000;
/** Part of the time; sampling itself takes a sixth of it at most. */
const BUSY = 0.02;
const NS_PER_SECOND = 1e9;
const RESOLUTION_SECONDS = RESOLUTION_MS / 1_000;
const MS_PER_SECOND = 1_000;

type Utilization = ReturnType<typeof performance.eventLoopUtilization>;

export class EventLoop {
  private readonly delays: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  /** At the last reading; the first is since the process began. */
  private last: Utilization | undefined;
  private timer: NodeJS.Timeout | undefined;
  private hasEnded = false;

  async read(reading: Reading): Promise<void> {
    const now = performance.eventLoopUtilization();
    const { utilization } = this.last === undefined ? now : performance.eventLoopUtilization(now, this.last);
    this.last = now;
    reading.set('loopUtilization', utilization);
    const lag = await probe();
    reading.set('lag', lag);
    this.readDelays(reading, lag);
    if (utilization >= BUSY) this.sample();
  }

  end(): void {
    this.hasEnded = true;
    this.rest();
  }

  private readDelays(reading: Reading, lag: number): void {
    const { delays } = this;
    const isSampled = delays.count > 0;
    const delay = (nanoseconds: number) =>
      isSampled ? Math.max(0, nanoseconds / NS_PER_SECOND - RESOLUTION_SECONDS) : lag;
    reading.set('lagMin', delay(delays.min));
    reading.set('lagMax', delay(delays.max));
    reading.set('lagMean', delay(delays.mean));
    reading.set('lagDeviation', isSampled ? delays.stddev / NS_PER_SECOND : 0);
    reading.set('lagP50', delay(delays.percentile(50)));
    reading.set('lagP90', delay(delays.percentile(90)));
    reading.set('lagP99', delay(delays.percentile(99)));
    delays.reset();
  }

  private sample(): void {
    if (this.timer !== undefined || this.hasEnded) return;
    this.delays.enable();
    this.look(performance.eventLoopUtilization());
  }

  private look(before: Utilization): void {
    this.timer = setTimeout(() => {
      const now = performance.eventLoopUtilization();
      if (performance.eventLoopUtilization(now, before).utilization < BUSY) this.rest();
      else this.look(now);
    }, LOOK_MS).unref();
  }

  private rest(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.delays.disable();
  }
}

/** @returns seconds until the event loop came to a callback; it holds a process that has finished for one turn */
function probe(): Promise<number> {
  const begin = nowMs();
  return new Promise((resolve) => {
    setImmediate(() => resolve((nowMs() - begin) / MS_PER_SECOND));
  });
}
