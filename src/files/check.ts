/** What checks of the user's files have in common: all problems of one text, each with its place, as far as one would read. */
import { nearest, type Problem, type ProblemCode, problem } from '../errors';
import type { Locate, Part, Path } from './yaml-text';

/** What the problems of one kind of file are called. */
export interface FileWords {
  /** Such as `the partner directory`. */
  readonly whole: string;
  /** Of a value that is not of the kind that it has to be. */
  readonly shapeCode: ProblemCode;
  /** Of a key that means nothing. */
  readonly keyCode: ProblemCode;
  /** Where there is an example. */
  readonly page: string;
}

/** Problems reported of one text; the rest is counted. */
const MAX_PROBLEMS = 50;

/** What is wrong with one text, told as far as someone would read it. */
export class ProblemList {
  private readonly problems: Problem[] = [];
  private untold = 0;

  constructor(private readonly words: FileWords) {}

  /** @param make called only when the problem is told */
  add(make: () => Problem): void {
    if (this.problems.length < MAX_PROBLEMS) this.problems.push(make());
    else this.untold++;
  }

  list(): readonly Problem[] {
    if (this.untold === 0) return this.problems;
    const rest = problem(this.words.shapeCode, {
      wrong: `${this.words.whole} has ${this.untold} more problems`,
      expected: 'none',
      remedy: 'Mend the ones above first.',
    });
    return [...this.problems, rest];
  }
}

/** One pass over what a text holds, collecting what is wrong with it. */
export class FileCheck {
  readonly problems: ProblemList;

  /** @param locate says where in the file a value stands */
  constructor(
    private readonly words: FileWords,
    protected readonly locate: Locate,
  ) {
    this.problems = new ProblemList(words);
  }

  /** An object with no other keys than the known ones, where those are given. */
  protected record(
    value: unknown,
    at: Path,
    what: string,
    known?: readonly string[],
  ): Record<string, unknown> | undefined {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.report(this.words.shapeCode, at, 'value', () => ({
        wrong: `${what} is not an object`,
        got: value,
        expected: 'an object',
        remedy: `See the example in ${this.words.page}.`,
      }));
      return undefined;
    }
    for (const key of known === undefined ? [] : Object.keys(value)) {
      if (known?.includes(key)) continue;
      const near = nearest(key, known ?? []);
      this.report(this.words.keyCode, [...at, key], 'key', () => ({
        wrong: `${what} has an unknown key`,
        got: key,
        expected: `${known?.join(', ')}`,
        remedy: near === undefined ? 'Remove it.' : `Did you mean ${near}?`,
      }));
    }
    return value as Record<string, unknown>;
  }

  /** @param what is asked for only when the problem is told: finding its place takes a search */
  protected report(code: ProblemCode, at: Path, part: Part, what: () => Parameters<typeof problem>[1]): void {
    this.problems.add(() => {
      const { wrong, ...rest } = what();
      return problem(code, { ...rest, wrong: `${this.locate(at, part)}: ${wrong}` });
    });
  }
}
