/**
 * The best value found for each of a list of names and paths. A name is matched as in {@link CodeMatches}. Of a path the
 * first place in the text counts that has a value, so that nothing after it can replace it; where the text is an array,
 * a batch of messages, a path begins in each of its items.
 *
 * What is wanted of a value is one number: the places that it is for, as bits, and above them the steps that may come
 * next if it is a container.
 */
import { CodeMatches, type Found } from './code-matches';
import { afterItem, type CodePaths, MAX_STEPS } from './code-paths';
import type { Containers } from './containers';

/** Bits below the steps: a place each, of which there are five, and method_code. */
const PLACE_BITS = 6;
const PLACES = (1 << PLACE_BITS) - 1;
/** Depths in which a step can come: each takes one level, and a batch one more. */
const MAX_DEPTH = MAX_STEPS + 2;

export class PathMatches extends CodeMatches {
  /** By depth of the open containers, the steps that may come next in each. */
  private readonly steps = new Int32Array(MAX_DEPTH);
  private isBatch = false;

  constructor(
    private readonly paths: CodePaths,
    containers: Containers,
  ) {
    super(paths.places, containers);
  }

  /**
   * A container begins, at a depth that counts it.
   * @param wanted of it as a value, by {@link stillWanted}
   * @param isFirst of an item of an array: whether it is the first
   */
  open(depth: number, isObject: boolean, wanted: number, isFirst: boolean): void {
    if (depth >= MAX_DEPTH) return;
    this.steps[depth] = this.stepsOf(depth, isObject, wanted, isFirst);
  }

  private stepsOf(depth: number, isObject: boolean, wanted: number, isFirst: boolean): number {
    const { paths, steps } = this;
    if (depth === 1) {
      this.isBatch = !isObject;
      return isObject ? paths.first : 0;
    }
    if (depth === 2 && this.isBatch) return isObject ? paths.first : 0;
    return this.containers.isObject(depth - 1)
      ? wanted >> PLACE_BITS
      : afterItem(paths, steps[depth - 1] as number, isFirst);
  }

  /** @param keys that a key equals, as bits. @returns what is wanted of its value */
  override stillWanted(keys: number, depth: number): number {
    const { takes, leadsTo } = this.paths;
    const names = this.namesOf(keys);
    let wanted = names === 0 ? 0 : super.stillWanted(names, depth);
    const steps = depth < MAX_DEPTH ? (this.steps[depth] as number) : 0;
    for (let n = 0; steps >> n !== 0; n++) {
      const key = takes[n] as number;
      if ((steps & (1 << n)) === 0 || key < 0 || (key & keys) === 0) continue;
      const place = leadsTo[n];
      if (place === undefined) wanted |= 1 << (PLACE_BITS + n + 1);
      else if (this.found(place) === undefined) wanted |= 1 << place;
    }
    return wanted;
  }

  private namesOf(keys: number): number {
    const { named } = this.paths;
    let names = 0;
    for (let key = 0; keys >> key !== 0; key++) if ((keys & (1 << key)) !== 0) names |= named[key] as number;
    return names;
  }

  override accept(wanted: number, depth: number, kind: Found['kind'], text: string, endsAt: number): void {
    const names = wanted & this.paths.names;
    if (names !== 0) super.accept(names, depth, kind, text, endsAt);
    // settled, as a key of the outermost object is
    this.keep(wanted & PLACES & ~this.paths.names, { kind, text, depth: 1, endsAt });
  }
}
