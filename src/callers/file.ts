/**
 * Reads a callers file: JSON or YAML. Every problem is reported, with its place in the file; a file with problems is
 * not used at all.
 */
import { problem } from '../errors';
import { ProblemList } from '../files/check';
import { readText } from '../files/read-text';
import type { ReadItems } from '../files/serve';
import { parseYamlText } from '../files/yaml-text';
import { type CallerRules, NO_CALLER_RULES } from './callers';
import { CALLER_WORDS, type LoadedCallers, parseCallers } from './check';

/** Room for as many entries as are accepted. */
const MAX_FILE_BYTES = 256 * 1024;

const FILE_REMEDY =
  'Mend the file, or unset CHANNEL_EXPORTER_CALLERS. In YAML, a text that begins with * is in quotes.';

/** Reads the callers file at a path. Does not throw. */
export function readCallersFile(file: string): LoadedCallers {
  let text: string;
  try {
    text = readText(file, MAX_FILE_BYTES);
  } catch (error) {
    const unreadable = problem('CHX_CALLERS_UNREADABLE', {
      wrong: `the callers file cannot be read: ${(error as Error).message}`,
      got: file,
      expected: `a file of UTF-8 text, at most ${MAX_FILE_BYTES} bytes`,
      remedy: 'Check the path and its permissions; a relative path starts from the working directory.',
    });
    return { rules: NO_CALLER_RULES, problems: [unreadable] };
  }
  return parseCallersText(text, file);
}

/** The same, as {@link ReadItems}: the rules are one item. */
export function readCallerRules(file: string): ReadItems<CallerRules> {
  const { rules, problems } = readCallersFile(file);
  return { items: [rules], problems };
}

/**
 * Parses and checks a text. Does not throw.
 * @param file its name, for messages
 */
export function parseCallersText(text: string, file: string): LoadedCallers {
  const parsed = parseYamlText(text, file);
  if ('value' in parsed) return parseCallers(parsed.value, parsed.locate);
  const problems = new ProblemList(CALLER_WORDS);
  for (const fault of parsed.faults) {
    problems.add(() =>
      problem('CHX_CALLERS_SYNTAX', { wrong: fault.wrong, expected: fault.expected, remedy: FILE_REMEDY }),
    );
  }
  return { rules: NO_CALLER_RULES, problems: problems.list() };
}
