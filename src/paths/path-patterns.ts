/**
 * The patterns of a paths file, in a tree of their segments: a path is compared with all of them in one walk, which
 * visits each branch at most once.
 */
import { isPattern, segmentsOf } from '../files/path-pattern';

/** What may follow a segment. */
interface Branch {
  readonly literals: Map<string, Branch>;
  parameter: Branch | undefined;
  /** Place of the pattern that ends here, and of the one that ends here with `*`. */
  whole: number;
  rest: number;
  /** The first of those that begin so. */
  first: number;
}

const NONE = Number.POSITIVE_INFINITY;
/** No segment of a pattern is longer. */
const MAX_LITERAL_CHARACTERS = 255;

export class PathPatterns {
  private readonly root = newBranch();
  /** Whole paths, then patterns. */
  private readonly patterns: readonly string[];

  /** @param patterns without a fault, in the order of the file */
  constructor(patterns: readonly string[]) {
    this.patterns = [...patterns.filter((each) => !isPattern(each)), ...patterns.filter(isPattern)];
    for (const [place, pattern] of this.patterns.entries()) this.add(pattern, place);
  }

  /** @returns the path itself where it stands in the file, else the first pattern that it matches */
  find(path: string): string | undefined {
    if (this.patterns.length === 0 || !path.startsWith('/')) return undefined;
    return this.patterns[firstIn(this.root, path, 1, NONE)];
  }

  private add(pattern: string, place: number): void {
    let branch = this.root;
    branch.first = Math.min(branch.first, place);
    for (const segment of segmentsOf(pattern)) {
      if (segment === '*') {
        branch.rest = Math.min(branch.rest, place);
        return;
      }
      branch = nextBranch(branch, segment);
      branch.first = Math.min(branch.first, place);
    }
    branch.whole = Math.min(branch.whole, place);
  }
}

/**
 * @param start of the segment that follows
 * @param found place of the pattern that has matched already
 * @returns the first place, at most `found`
 */
function firstIn(branch: Branch, path: string, start: number, found: number): number {
  let best = Math.min(found, branch.rest);
  const slash = path.indexOf('/', start);
  const end = slash < 0 ? path.length : slash;
  const literal =
    branch.literals.size > 0 && end - start <= MAX_LITERAL_CHARACTERS
      ? branch.literals.get(path.slice(start, end))
      : undefined;
  // a parameter is one character at least
  for (const next of [literal, end > start ? branch.parameter : undefined]) {
    if (next === undefined || next.first >= best) continue;
    best = slash < 0 ? Math.min(best, next.whole) : firstIn(next, path, end + 1, best);
  }
  return best;
}

function nextBranch(branch: Branch, segment: string): Branch {
  if (segment.startsWith(':')) {
    branch.parameter ??= newBranch();
    return branch.parameter;
  }
  const next = branch.literals.get(segment) ?? newBranch();
  branch.literals.set(segment, next);
  return next;
}

function newBranch(): Branch {
  return { literals: new Map(), parameter: undefined, whole: NONE, rest: NONE, first: NONE };
}
