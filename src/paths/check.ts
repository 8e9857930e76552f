/**
 * Checks the patterns of paths, from a file or as an object from `start()`: every problem is reported; rules with problems
 * are not used at all.
 *
 * The shape is published as schema/paths.schema.json; a test holds this check equal to it.
 */
import type { Problem } from '../errors';
import { FileCheck, type FileWords } from '../files/check';
import { covers, isPattern, type PathFault, pathFault, segmentsOf } from '../files/path-pattern';
import type { Locate } from '../files/yaml-text';
import { NO_PATH_RULES, type PathRules } from './concrete-paths';

/** What loading gives: the rules, or what is wrong. With problems the rules are not to be used. */
export interface LoadedPaths {
  readonly rules: PathRules;
  readonly problems: readonly Problem[];
}

export const PATH_WORDS: FileWords = {
  whole: 'the paths file',
  shapeCode: 'CHX_PATHS_SHAPE',
  keyCode: 'CHX_PATHS_KEY',
  page: 'docs/frameworks.md',
};

const MAX_ENTRIES = 1_000;
/** What a label can show. The same as in the schema. */
const PATH = /^\/[^\p{Cc}\p{Cs}]{0,254}$/u;
const EXAMPLE = '{ "paths": ["/orders/*", "/u/:name"] }';

/**
 * Checks patterns of paths.
 * @param value the object with `paths`
 * @param locate says where in the file a value stands
 */
export function parsePaths(value: unknown, locate: Locate = () => 'paths'): LoadedPaths {
  const check = new PathsCheck(locate);
  const rules = check.rules(value);
  const problems = check.problems.list();
  return { rules: problems.length > 0 ? NO_PATH_RULES : rules, problems };
}

/** One pass over the entries, collecting what is wrong with them. */
class PathsCheck extends FileCheck {
  private count = 0;
  private readonly seen = new Set<string>();
  private readonly patterns: { readonly text: string; readonly segments: readonly string[] }[] = [];

  constructor(locate: Locate) {
    super(PATH_WORDS, locate);
  }

  rules(value: unknown): PathRules {
    const root = this.record(value, [], 'the paths file', ['paths', '$schema']);
    if (root === undefined) return NO_PATH_RULES;
    const { paths } = root;
    if (!Array.isArray(paths)) {
      const isMissing = !Object.hasOwn(root, 'paths');
      this.report('CHX_PATHS_SHAPE', isMissing ? [] : ['paths'], 'value', () => ({
        wrong: isMissing ? 'the file has no paths' : 'paths is not a list',
        ...(isMissing ? {} : { got: paths }),
        expected: EXAMPLE,
        remedy: 'Put the patterns under the key "paths", as a list.',
      }));
      return NO_PATH_RULES;
    }
    for (const [place, path] of paths.entries()) this.entry(path, place);
    return { patterns: paths };
  }

  private entry(path: unknown, place: number): void {
    const fault = typeof path === 'string' ? this.fault(path) : { wrong: 'it is no text', remedy: 'Write a path.' };
    if (fault === undefined) return;
    this.report('CHX_PATH_PATTERN', ['paths', place], 'value', () => ({
      wrong: `the path cannot be used: ${fault.wrong}`,
      got: path,
      expected: 'a path as the label has it, with :name for one segment and * at the end for the rest',
      remedy: fault.remedy,
    }));
  }

  private fault(path: string): PathFault | undefined {
    if (this.count++ >= MAX_ENTRIES) {
      return { wrong: `the file has more than ${MAX_ENTRIES} entries`, remedy: 'Join some of them into a wider one.' };
    }
    const fault = pathFault(path) ?? textFault(path);
    if (fault !== undefined) return fault;
    if (this.seen.has(path)) return { wrong: 'it stands twice', remedy: 'Remove one of the two.' };
    this.seen.add(path);
    if (!isPattern(path)) return undefined;
    const segments = segmentsOf(path);
    const wider = this.patterns.find((each) => covers(each.segments, segments));
    this.patterns.push({ text: path, segments });
    if (wider === undefined) return undefined;
    return {
      wrong: `it can never match, everything it matches is taken by ${wider.text} before it`,
      remedy: 'Move it before the wider pattern, or remove it.',
    };
  }
}

function textFault(path: string): PathFault | undefined {
  if (!PATH.test(path)) {
    return {
      wrong: 'it is longer than 255 characters, or has some that cannot be seen',
      remedy: 'Write * for the rest.',
    };
  }
  if (!/%[\da-f]{2}/i.test(path)) return undefined;
  return {
    wrong: 'it can never match, for paths are compared decoded',
    remedy: 'Write the character itself in place of % and its number.',
  };
}
