/**
 * Reads a callers file: JSON or YAML. Every problem is reported, with its place in the file; a file with problems is
 * not used at all.
 */
import { type FileKind, type FileValue, parseFileValue, readFileValue } from '../files/read-value';
import type { ReadItems } from '../files/serve';
import { type CallerRules, NO_CALLER_RULES } from './callers';
import { CALLER_WORDS, type LoadedCallers, parseCallers } from './check';

const CALLERS_FILE: FileKind = {
  name: 'the callers file',
  words: CALLER_WORDS,
  // room for as many entries as are accepted
  maxBytes: 256 * 1024,
  unreadableCode: 'CHX_CALLERS_UNREADABLE',
  syntaxCode: 'CHX_CALLERS_SYNTAX',
  remedy: 'Mend the file, or unset CHANNEL_EXPORTER_CALLERS. In YAML, a text that begins with * is in quotes.',
};

/** Reads the callers file at a path. Does not throw. */
export function readCallersFile(file: string): LoadedCallers {
  return load(readFileValue(file, CALLERS_FILE));
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
  return load(parseFileValue(text, file, CALLERS_FILE));
}

function load(read: FileValue): LoadedCallers {
  if ('problems' in read) return { rules: NO_CALLER_RULES, problems: read.problems };
  return parseCallers(read.value, read.locate);
}
