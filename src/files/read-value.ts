/**
 * A file of the user's, from its path or its text to the value that it holds, or to every problem that keeps it from
 * holding one. What the value has to be is for the checks (check.ts). Nothing here throws.
 */
import { type Problem, type ProblemCode, problem } from '../errors';
import { type FileWords, ProblemList } from './check';
import { readText } from './read-text';
import { type Locate, parseYamlText } from './yaml-text';

/** One kind of file. */
export interface FileKind {
  /** Such as `the partner file`. */
  readonly name: string;
  readonly words: FileWords;
  /** A larger one is taken for a mistake. */
  readonly maxBytes: number;
  readonly unreadableCode: ProblemCode;
  readonly syntaxCode: ProblemCode;
  /** What to do about a text that is neither JSON nor YAML. */
  readonly remedy: string;
}

export type FileValue =
  | { readonly value: unknown; readonly locate: Locate }
  | { readonly problems: readonly Problem[] };

/** Reads the file at a path. */
export function readFileValue(file: string, kind: FileKind): FileValue {
  let text: string;
  try {
    text = readText(file, kind.maxBytes);
  } catch (error) {
    const unreadable = problem(kind.unreadableCode, {
      wrong: `${kind.name} cannot be read: ${(error as Error).message}`,
      got: file,
      expected: `a file of UTF-8 text, at most ${kind.maxBytes} bytes`,
      remedy: 'Check the path and its permissions; a relative path starts from the working directory.',
    });
    return { problems: [unreadable] };
  }
  return parseFileValue(text, file, kind);
}

/** @param file its name, for messages */
export function parseFileValue(text: string, file: string, { words, syntaxCode, remedy }: FileKind): FileValue {
  const parsed = parseYamlText(text, file);
  if ('value' in parsed) return parsed;
  const problems = new ProblemList(words);
  for (const fault of parsed.faults) {
    problems.add(() => problem(syntaxCode, { wrong: fault.wrong, expected: fault.expected, remedy }));
  }
  return { problems: problems.list() };
}
