/**
 * The open objects and arrays of a JSON text, one byte for each, so that no depth can overflow the call stack. A depth
 * of 1 is the outermost container; 0 is outside of all.
 */

import { MemoryShare } from '../kept-bytes';

/** Containers for which there is room at first, and that a reader kept for later bodies has room for. */
const USUAL_DEPTH = 32;

// an entry: its lowest bit tells the kind, the other seven are the set of names that an object has matched
const ARRAY = 0;
const OBJECT = 1;
const NAMES_SHIFT = 1;

export class Containers {
  private entries: Uint8Array = new Uint8Array(USUAL_DEPTH);
  private readonly share = new MemoryShare();

  /** Gives back what a deep text has taken. */
  reset(): void {
    if (this.entries.length === USUAL_DEPTH) return;
    this.entries = new Uint8Array(USUAL_DEPTH);
    this.share.release();
  }

  /**
   * A container begins at a depth.
   * @param _wanted of it as a value, and `_state` in which it began: where paths are followed (path-matches.ts)
   * @returns false where there is no memory for so many
   */
  open(depth: number, isObject: boolean, _wanted: number, _state: number): boolean {
    if (depth > this.entries.length && !this.grow()) return false;
    this.entries[depth - 1] = isObject ? OBJECT : ARRAY;
    return true;
  }

  isObject(depth: number): boolean {
    return depth > 0 && ((this.entries[depth - 1] as number) & OBJECT) !== 0;
  }

  /** The names that an object has matched. Bit n is name n. */
  matchedNames(depth: number): number {
    return (this.entries[depth - 1] as number) >> NAMES_SHIFT;
  }

  addMatchedNames(depth: number, names: number): void {
    this.entries[depth - 1] = (this.entries[depth - 1] as number) | (names << NAMES_SHIFT);
  }

  /** To twice the room, so that depth costs time in proportion. */
  private grow(): boolean {
    if (!this.share.take(this.entries.length)) return false;
    const larger = new Uint8Array(this.entries.length * 2);
    larger.set(this.entries);
    this.entries = larger;
    return true;
  }
}
