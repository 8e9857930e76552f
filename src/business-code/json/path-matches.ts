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
import { Containers } from './containers';
import { STATE } from './grammar';

const { FIRST_ITEM } = STATE;

/** Bits below the steps: a place each, of which there are five, and method_code. */
const PLACE_BITS = 6;
const PLACES = (1 << PLACE_BITS) - 1;
/** Depths in which a step can come: each takes one level, and a batch one more. */
const MAX_DEPTH = MAX_STEPS + 2;

/** The open containers, and by their depth the steps that may come next in each. */
export class PathContainers extends Containers {
  private readonly steps = new Int32Array(MAX_DEPTH);
  private isBatch = false;

  constructor(private readonly paths: CodePaths) {
    super();
  }

  /** @param wanted by {@link PathMatches.stillWanted}. @param state in which the container began */
  override open(depth: number, isObject: boolean, wanted: number, state: number): boolean {
    if (depth < MAX_DEPTH) this.steps[depth] = this.stepsOf(depth, isObject, wanted, state === FIRST_ITEM);
    return super.open(depth, isObject, wanted, state);
  }

  /** Those that may come next in a container, as bits. */
  nextSteps(depth: number): number {
    return depth < MAX_DEPTH ? (this.steps[depth] as number) : 0;
  }

  private stepsOf(depth: number, isObject: boolean, wanted: number, isFirst: boolean): number {
    const { paths } = this;
    if (depth === 1) {
      this.isBatch = !isObject;
      return isObject ? paths.first : 0;
    }
    if (depth === 2 && this.isBatch) return isObject ? paths.first : 0;
    return this.isObject(depth - 1) ? wanted >> PLACE_BITS : afterItem(paths, this.nextSteps(depth - 1), isFirst);
  }
}

export class PathMatches extends CodeMatches {
  constructor(
    private readonly paths: CodePaths,
    private readonly opened: PathContainers,
  ) {
    super(paths.places, opened);
  }

  /** @param keys that a key equals, as bits. @returns what is wanted of its value */
  override stillWanted(keys: number, depth: number): number {
    const { takes, leadsTo } = this.paths;
    const names = this.namesOf(keys);
    let wanted = names === 0 ? 0 : super.stillWanted(names, depth);
    const steps = this.opened.nextSteps(depth);
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
    const places = wanted & PLACES & ~this.paths.names;
    for (let n = 0; places >> n !== 0; n++) {
      // settled, as a key of the outermost object is
      if ((places & (1 << n)) !== 0) this.best[n] = { kind, text, depth: 1, endsAt };
    }
  }
}
