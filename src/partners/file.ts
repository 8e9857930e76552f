/**
 * Reads a partner file: JSON or YAML. Every problem is reported, with its place in the file; a file with problems is
 * not used at all.
 */
import { type FileKind, type FileValue, parseFileValue, readFileValue } from '../files/read-value';
import type { ReadItems } from '../files/serve';
import { type Loaded, PARTNER_WORDS, parsePartnerDirectory } from './check';
import type { PartnerHost } from './directory';

const PARTNER_FILE: FileKind = {
  name: 'the partner file',
  words: PARTNER_WORDS,
  // this one takes seconds to read, for which a start would wait
  maxBytes: 1024 * 1024,
  unreadableCode: 'CHX_PARTNERS_UNREADABLE',
  syntaxCode: 'CHX_PARTNERS_SYNTAX',
  remedy: 'Mend the file, or unset CHANNEL_EXPORTER_PARTNERS.',
};

/** Reads the partner file at a path. Does not throw. */
export function readPartnerFile(file: string): Loaded {
  return load(readFileValue(file, PARTNER_FILE));
}

/** The same, as {@link ReadItems}. */
export function readPartnerHosts(file: string): ReadItems<PartnerHost> {
  const { hosts, problems } = readPartnerFile(file);
  return { items: hosts, problems };
}

/**
 * Parses and checks a directory's text. Does not throw.
 * @param file its name, for messages
 */
export function parsePartnerText(text: string, file: string): Loaded {
  return load(parseFileValue(text, file, PARTNER_FILE));
}

function load(read: FileValue): Loaded {
  if ('problems' in read) return { hosts: [], problems: read.problems };
  return parsePartnerDirectory(read.value, read.locate);
}
