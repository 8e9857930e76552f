/**
 * Reads a partner file: JSON or YAML. Every problem is reported, with its place in the file; a file with problems is
 * not used at all.
 */
import { readFileSync, statSync } from 'node:fs';
import { type ProblemCode, problem } from '../errors';
import { type Loaded, ProblemList, parsePartnerDirectory } from './check';
import { parseYamlText } from './yaml-text';

/** A larger file is taken for a mistake: this one takes seconds to read, for which a start would wait. */
const MAX_FILE_BYTES = 1024 * 1024;

const FILE_REMEDY = 'Mend the file, or unset CHANNEL_EXPORTER_PARTNERS.';

/** Reads the partner file at a path. Does not throw. */
export function readPartnerFile(file: string): Loaded {
  let text: string;
  try {
    const stat = statSync(file);
    // reading a pipe or a device could block the start for ever
    if (!stat.isFile()) throw new Error('it is not a file');
    if (stat.size > MAX_FILE_BYTES) throw new Error(`it has ${stat.size} bytes, more than ${MAX_FILE_BYTES}`);
    text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
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

/**
 * Parses and checks a directory's text. Does not throw.
 * @param file its name, for messages
 */
export function parsePartnerText(text: string, file: string): Loaded {
  const parsed = parseYamlText(text, file);
  if ('value' in parsed) return parsePartnerDirectory(parsed.value, parsed.locate);
  const problems = new ProblemList();
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
