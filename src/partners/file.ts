/**
 * Reads a partner file: JSON or YAML. Every problem is reported, with its place in the file; a file with problems is
 * not used at all.
 */
import { type ProblemCode, problem } from '../errors';
import { ProblemList } from '../files/check';
import { readText } from '../files/read-text';
import type { ReadItems } from '../files/serve';
import { parseYamlText } from '../files/yaml-text';
import { type Loaded, PARTNER_WORDS, parsePartnerDirectory } from './check';
import type { PartnerHost } from './directory';

/** A larger file is taken for a mistake: this one takes seconds to read, for which a start would wait. */
const MAX_FILE_BYTES = 1024 * 1024;

const FILE_REMEDY = 'Mend the file, or unset CHANNEL_EXPORTER_PARTNERS.';

/** Reads the partner file at a path. Does not throw. */
export function readPartnerFile(file: string): Loaded {
  let text: string;
  try {
    text = readText(file, MAX_FILE_BYTES);
  } catch (error) {
    return failed('CHX_PARTNERS_UNREADABLE', {
      wrong: `the partner file cannot be read: ${(error as Error).message}`,
      got: file,
      expected: `a file of UTF-8 text, at most ${MAX_FILE_BYTES} bytes`,
      remedy: 'Check the path and its permissions; a relative path starts from the working directory.',
    });
  }
  return parsePartnerText(text, file);
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
  const parsed = parseYamlText(text, file);
  if ('value' in parsed) return parsePartnerDirectory(parsed.value, parsed.locate);
  const problems = new ProblemList(PARTNER_WORDS);
  for (const fault of parsed.faults) {
    problems.add(() =>
      problem('CHX_PARTNERS_SYNTAX', { wrong: fault.wrong, expected: fault.expected, remedy: FILE_REMEDY }),
    );
  }
  return { hosts: [], problems: problems.list() };
}

function failed(code: ProblemCode, what: Parameters<typeof problem>[1]): Loaded {
  return { hosts: [], problems: [problem(code, what)] };
}
