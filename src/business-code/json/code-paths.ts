/**
 * Paths to codes, compiled for a reader of keys: `errors[0].extensions.code` is four steps. Sets of steps, of keys and of
 * places are bits.
 */

/** Steps of all paths together: path-matches.ts has them and the places as bits of one number. */
export const MAX_STEPS = 25;

/** What one step takes. */
const ANY_ITEM = -1;
const FIRST_ITEM = -2;

/** A list of names and paths that has a path. */
export interface CodePaths {
  /** Distinct keys of names and paths, normalised: key bit n is key n. */
  readonly keys: readonly string[];
  /** How many names and paths there are. */
  readonly places: number;
  /** The places that are names, as bits. */
  readonly names: number;
  /** For each key, the names that it is, as bits of places. */
  readonly named: readonly number[];
  /** The first step of every path. */
  readonly first: number;
  /** For each step, the key bit that it takes, {@link ANY_ITEM} or {@link FIRST_ITEM}. */
  readonly takes: readonly number[];
  /** For each step that is the last of its path, the place; else undefined. */
  readonly leadsTo: readonly (number | undefined)[];
}

/** Whether it is one place, and no name at any depth. */
export function isPath(wanted: string): boolean {
  return wanted.includes('.');
}

const compiled = new WeakMap<readonly string[], CodePaths>();

/**
 * @param wanted names and paths, normalised
 * @returns undefined where there are only names
 */
export function codePaths(wanted: readonly string[]): CodePaths | undefined {
  if (!wanted.some(isPath)) return undefined;
  const known = compiled.get(wanted) ?? compile(wanted);
  compiled.set(wanted, known);
  return known;
}

function compile(wanted: readonly string[]): CodePaths {
  const keys: string[] = [];
  const named: number[] = [];
  const takes: number[] = [];
  const leadsTo: (number | undefined)[] = [];
  let first = 0;
  let names = 0;
  const keyOf = (text: string) => {
    const known = keys.indexOf(text);
    if (known >= 0) return known;
    named.push(0);
    return keys.push(text) - 1;
  };
  for (const [place, text] of wanted.entries()) {
    if (!isPath(text)) {
      const key = keyOf(text);
      named[key] = (named[key] as number) | (1 << place);
      names |= 1 << place;
      continue;
    }
    first |= 1 << takes.length;
    for (const part of text.match(/\[[0*]\]|[^.[\]]+/g) ?? []) {
      takes.push(part === '[*]' ? ANY_ITEM : part === '[0]' ? FIRST_ITEM : 1 << keyOf(part));
      leadsTo.push(undefined);
    }
    leadsTo[leadsTo.length - 1] = place;
  }
  if (takes.length > MAX_STEPS) throw new RangeError(`${takes.length} steps are too many`);
  return { keys, places: wanted.length, names, named, first, takes, leadsTo };
}

/** The steps that follow those of a set which take an item of an array. */
export function afterItem({ takes }: CodePaths, steps: number, isFirst: boolean): number {
  let after = 0;
  for (let n = 0; steps >> n !== 0; n++) {
    if ((steps & (1 << n)) === 0) continue;
    if (takes[n] === ANY_ITEM || (isFirst && takes[n] === FIRST_ITEM)) after |= 1 << (n + 1);
  }
  return after;
}
