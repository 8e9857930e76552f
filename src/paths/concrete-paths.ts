/** What the label `path` has of a path that no framework explained. Asked once for each such request. */
import { generalPath } from './general-path';
import { PathPatterns } from './path-patterns';

/** What a paths file holds, checked. */
export interface PathRules {
  /** Whole paths and patterns, in the order of the file. */
  readonly patterns: readonly string[];
}

/** Without a file, and with an empty one. */
export const NO_PATH_RULES: PathRules = { patterns: [] };

/** The rules in force; {@link ConcretePaths.use} exchanges them while requests are under way. */
export class ConcretePaths {
  private patterns = new PathPatterns([]);

  /** @param isGeneral whether what looks like a value is replaced in paths that no pattern matches */
  constructor(
    private readonly isGeneral: boolean,
    rules: PathRules = NO_PATH_RULES,
  ) {
    this.use(rules);
  }

  /** Puts other rules in force for every request from now on. */
  use({ patterns }: PathRules): void {
    this.patterns = new PathPatterns(patterns);
  }

  /**
   * @param path decoded
   * @returns the pattern that it matches, or the path without its values, or itself
   */
  labelOf(path: string): string {
    return this.patterns.find(path) ?? (this.isGeneral ? generalPath(path) : path);
  }
}
