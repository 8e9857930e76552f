/** Random numbers that a seed repeats, so that a failure can be looked at again. */

/** Seed of a run: from FUZZ_SEED, else another one each time. A failing test reports which it was. */
export function fuzzSeed(): number {
  const given = Number(process.env.FUZZ_SEED ?? Number.NaN);
  return Number.isInteger(given) ? given >>> 0 : (Date.now() ^ (process.pid << 16)) >>> 0;
}

export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** A number from 0 up to 1. @see https://github.com/bryc/code/blob/master/jshash/PRNGs.md#mulberry32 (public domain) */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 up to `limit`, exclusive. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** Yes once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** Several results, joined. */
  repeat(most: number, make: () => string): string {
    let text = '';
    for (let left = this.below(most + 1); left > 0; left--) text += make();
    return text;
  }
}
