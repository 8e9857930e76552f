/**
 * Reads a paths file: JSON or YAML. Every problem is reported, with its place in the file; a file with problems is not
 * used at all.
 */
import { type FileKind, type FileValue, parseFileValue, readFileValue } from '../files/read-value';
import type { ReadItems } from '../files/serve';
import { type LoadedPaths, PATH_WORDS, parsePaths } from './check';
import { NO_PATH_RULES, type PathRules } from './concrete-paths';

const PATHS_FILE: FileKind = {
  name: 'the paths file',
  words: PATH_WORDS,
  // room for as many entries as are accepted, of three bytes a character
  maxBytes: 1024 * 1024,
  unreadableCode: 'CHX_PATHS_UNREADABLE',
  syntaxCode: 'CHX_PATHS_SYNTAX',
  remedy: 'Mend the file, or unset CHANNEL_EXPORTER_PATHS.',
};

/** Reads the paths file at a path. Does not throw. */
export function readPathsFile(file: string): LoadedPaths {
  return load(readFileValue(file, PATHS_FILE));
}

/** The same, as {@link ReadItems}: the rules are one item. */
export function readPathRules(file: string): ReadItems<PathRules> {
  const { rules, problems } = readPathsFile(file);
  return { items: [rules], problems };
}

/**
 * Parses and checks a text. Does not throw.
 * @param file its name, for messages
 */
export function parsePathsText(text: string, file: string): LoadedPaths {
  return load(parseFileValue(text, file, PATHS_FILE));
}

function load(read: FileValue): LoadedPaths {
  if ('problems' in read) return { rules: NO_PATH_RULES, problems: read.problems };
  return parsePaths(read.value, read.locate);
}
