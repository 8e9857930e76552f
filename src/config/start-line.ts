/** The line that is logged once when the process serves its metrics: what it observes, and where they are. */
import { type Config, PRESET_HOST_COUNT } from './resolve';
import { offText } from './source-names';

export interface StartLineParts {
  /** Of the package. */
  readonly version: string;
  /** Of the scrape; empty without a port. */
  readonly url: string;
  /** What the metrics are pushed by. */
  readonly pushedBy: readonly string[];
  /** All that there are, by their names, also those that are off; some names occur twice. */
  readonly sources: readonly string[];
  /** Those that have found what they observe. */
  readonly observed: readonly string[];
}

export function startLine(config: Config, parts: StartLineParts): string {
  const { version, url, pushedBy, sources, observed } = parts;
  const { syscode, partnerHosts, partnersPreset, sourceOffBy } = config;
  const where = [url || 'no port', ...pushedBy.map((kind) => `pushed by ${kind}`)].join(', ');
  const off = offText([...new Set(sources)], sourceOffBy);
  const preset = partnersPreset ? ` and ${PRESET_HOST_COUNT} of the preset` : '';
  const hosts = `partner hosts: ${partnerHosts.length} of its own${preset}`;
  return `${version}, ${syscode}, ${where}; observes ${observed.join(', ') || 'nothing yet'}${off}; ${hosts}`;
}
