/** Random numbers that a seed repeats, for tests that try many inputs. */

/** Seed of a run: from FUZZ_SEED, else another one each time. A failing test says which it was. */
export function fuzzSeed(): number {
  const given = Number(process.env.FUZZ_SEED ?? Number.NaN);
  return Number.isInteger(given) ? given >>> 0 : (Date.now() ^ (process.pid << 16)) >>> 0;
}

export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** A whole number, 0 up to but without `below`. @see https://en.wikipedia.org/wiki/Xorshift, mulberry32 */
  below(below: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * below);
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
