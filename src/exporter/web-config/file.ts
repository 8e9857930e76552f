/** Reads a web configuration: YAML, or JSON, which is part of it, with the certificates that it names. */
import { type FileKind, type FileValue, parseFileValue, readFileValue } from '../../files/read-value';
import type { ReadItems } from '../../files/serve';
import { type LoadedWebConfig, parseWebConfig, WEB_CONFIG_WORDS } from './check';
import { NO_WEB_CONFIG } from './web-config';

const WEB_CONFIG_FILE: FileKind = {
  name: 'the web configuration',
  words: WEB_CONFIG_WORDS,
  maxBytes: 256 * 1024,
  unreadableCode: 'CHX_WEB_CONFIG_UNREADABLE',
  syntaxCode: 'CHX_WEB_CONFIG_SYNTAX',
  remedy: 'Mend the file, or unset CHANNEL_EXPORTER_WEB_CONFIG_FILE for a port without protection.',
};

/** Reads the file at an absolute path. Does not throw. */
export function readWebConfigFile(file: string): LoadedWebConfig {
  return load(readFileValue(file, WEB_CONFIG_FILE), file);
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
  return load(parseFileValue(text, file, WEB_CONFIG_FILE), file);
}

function load(read: FileValue, file: string): LoadedWebConfig {
  if ('problems' in read) return { config: NO_WEB_CONFIG, problems: read.problems, files: [] };
  return parseWebConfig(read.value, file, read.locate);
}
