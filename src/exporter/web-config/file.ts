/** Reads a web configuration: YAML, or JSON, which is part of it, with the certificates that it names. */
import { problem } from '../../errors';
import { ProblemList } from '../../files/check';
import { readText } from '../../files/read-text';
import type { ReadItems } from '../../files/serve';
import { parseYamlText } from '../../files/yaml-text';
import { type LoadedWebConfig, parseWebConfig, WEB_CONFIG_WORDS } from './check';
import { NO_WEB_CONFIG } from './web-config';

const MAX_FILE_BYTES = 256 * 1024;

/** Reads the file at an absolute path. Does not throw. */
export function readWebConfigFile(file: string): LoadedWebConfig {
  let text: string;
  try {
    text = readText(file, MAX_FILE_BYTES);
  } catch (error) {
    const unreadable = problem('CHX_WEB_CONFIG_UNREADABLE', {
      wrong: `the web configuration cannot be read: ${(error as Error).message}`,
      got: file,
      expected: `a file of UTF-8 text, at most ${MAX_FILE_BYTES} bytes`,
      remedy: 'Check the path and its permissions; a relative path starts from the working directory.',
    });
    return { config: NO_WEB_CONFIG, problems: [unreadable], files: [] };
  }
  return parseWebConfigText(text, file);
}

/** The same, as {@link ReadItems}: the configuration is one item. */
export function readWebConfig(file: string): ReadItems<LoadedWebConfig> {
  const loaded = readWebConfigFile(file);
  return { items: [loaded], problems: loaded.problems };
}

/**
 * Parses and checks a text. Does not throw.
 * @param file its name, for messages and for the folder of relative paths
 */
export function parseWebConfigText(text: string, file: string): LoadedWebConfig {
  const parsed = parseYamlText(text, file);
  if ('value' in parsed) return parseWebConfig(parsed.value, file, parsed.locate);
  const problems = new ProblemList(WEB_CONFIG_WORDS);
  for (const fault of parsed.faults) {
    problems.add(() =>
      problem('CHX_WEB_CONFIG_SYNTAX', {
        wrong: fault.wrong,
        expected: fault.expected,
        remedy: 'Mend the file, or unset CHANNEL_EXPORTER_WEB_CONFIG_FILE for a port without protection.',
      }),
    );
  }
  return { config: NO_WEB_CONFIG, problems: problems.list(), files: [] };
}
