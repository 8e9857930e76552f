/** What Prometheus makes of a counter that it scrapes all along. */
import type { Metrics } from './metrics';

/** Adds up the growth of every series over many scrapes, as `increase()` does: what falls has begun anew. */
export class Increase {
  private readonly last = new Map<string, number>();
  private readonly sums = new Map<string, number>();

  constructor(private readonly family: string) {}

  take(metrics: Metrics): void {
    for (const { labels, count } of metrics.counts(this.family)) {
      const key = JSON.stringify(labels);
      const before = this.last.get(key) ?? 0;
      this.sums.set(key, (this.sums.get(key) ?? 0) + (count >= before ? count - before : count));
      this.last.set(key, count);
    }
  }

  get total(): number {
    return [...this.sums.values()].reduce((sum, each) => sum + each, 0);
  }
}
