/** Counts garbage collections by kind, and how long they took, from the first scrape on. */
import { constants, PerformanceObserver } from 'node:perf_hooks';
import { RUNTIME_FAMILIES } from '../views/runtime-families';
import type { Counts, Reading } from './reading';

const { boundaries } = RUNTIME_FAMILIES.gcDuration;
const MS_PER_SECOND = 1_000;
const KINDS: ReadonlyMap<number, string> = new Map([
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weakcb'],
]);

export class Garbage {
  /** By kind, all of them from the start. */
  private readonly durations = new Map<string, Counts>(Array.from(KINDS.values(), (kind) => [kind, noCounts()]));
  private readonly observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) this.add(entry);
  });

  constructor() {
    this.observer.observe({ entryTypes: ['gc'] });
  }

  read(reading: Reading): void {
    // those that have happened, and whose entries wait for a turn of the event loop
    for (const entry of this.observer.takeRecords()) this.add(entry);
    for (const [kind, counts] of this.durations) reading.setCounts('gcDuration', counts, kind);
  }

  end(): void {
    this.observer.disconnect();
  }

  private add({ duration, detail }: { readonly duration: number; readonly detail?: unknown }): void {
    const counts = this.durations.get(KINDS.get((detail as { kind: number }).kind) ?? '');
    if (counts === undefined) return;
    const seconds = duration / MS_PER_SECOND;
    counts.count++;
    counts.sum += seconds;
    const index = boundaries.findIndex((boundary) => seconds <= boundary);
    const bucket = index < 0 ? boundaries.length : index;
    counts.buckets[bucket] = (counts.buckets[bucket] as number) + 1;
  }
}

function noCounts(): Counts {
  return { begin: Date.now(), count: 0, sum: 0, buckets: [...boundaries, Infinity].map(() => 0) };
}
