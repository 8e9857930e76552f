/** The best value found for each name. Sets of names are bits: bit n is name n. */
import type { Containers } from './containers';

/** A value as it was found. */
export interface Found {
  /** A string decoded and cleaned, a number as its source text, a boolean as `true` or `false`; cut. */
  readonly text: string;
  readonly kind: 'string' | 'number' | 'boolean';
  /** Of its object; that of the outermost one is 1, and that of a place to which a path leads. */
  readonly depth: number;
}

interface Match extends Found {
  /** Bytes of the text up to the end of the value. */
  readonly endsAt: number;
}

export class CodeMatches {
  protected readonly best: (Match | undefined)[];

  /** @param count of the names */
  constructor(
    private readonly count: number,
    private readonly containers: Containers,
  ) {
    this.best = new Array<Match | undefined>(count).fill(undefined);
  }

  reset(): void {
    for (let n = 0; n < this.count; n++) this.best[n] = undefined;
  }

  /** The best value found for a name so far: the shallowest, among equals the last. */
  found(name: number): Match | undefined {
    return this.best[name];
  }

  /**
   * Of the names that a key equals, those for which its value would count.
   * @param depth of the key's object
   * @returns without the names that the object has matched before, or that a shallower match was found for
   */
  stillWanted(names: number, depth: number): number {
    let wanted = names & ~this.containers.matchedNames(depth);
    for (let n = 0; wanted >> n !== 0; n++) {
      const best = this.best[n];
      if (best !== undefined && best.depth < depth) wanted &= ~(1 << n);
    }
    return wanted;
  }

  /** Keeps a value under a key that equals names still wanted. */
  accept(names: number, depth: number, kind: Found['kind'], text: string, endsAt: number): void {
    for (let n = 0; names >> n !== 0; n++) {
      if ((names & (1 << n)) !== 0) this.best[n] = { kind, text, depth, endsAt };
    }
    this.containers.addMatchedNames(depth, names);
  }
}
