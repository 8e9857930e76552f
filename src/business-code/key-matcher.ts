/** Compares a key with the names that are looked for, letter by letter as it comes. */
export class KeyMatcher {
  /** For each name, how many of its letters the key has shown so far; -1: it is another key. */
  private readonly progress: number[];

  /** @param names lower-case letters only */
  constructor(private readonly names: readonly string[]) {
    this.progress = names.map(() => -1);
  }

  /** A key begins. */
  begin(): void {
    this.progress.fill(0);
  }

  /** A character that no name has. */
  fail(): void {
    this.progress.fill(-1);
  }

  /** The next UTF-16 code unit of the key; `-` and `_` are passed over, the case of ASCII letters does not matter. */
  add(unit: number): void {
    if (unit === 0x2d || unit === 0x5f) return;
    const letter = unit >= 0x41 && unit <= 0x5a ? unit + 0x20 : unit;
    for (let n = 0; n < this.names.length; n++) {
      const at = this.progress[n] as number;
      if (at >= 0) this.progress[n] = (this.names[n] as string).charCodeAt(at) === letter ? at + 1 : -1;
    }
  }

  /** The key has ended. @returns a bit for each name that it equals */
  matched(): number {
    let bits = 0;
    for (let n = 0; n < this.names.length; n++) {
      if (this.progress[n] === (this.names[n] as string).length) bits |= 1 << n;
    }
    return bits;
  }
}
