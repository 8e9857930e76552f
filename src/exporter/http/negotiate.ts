/**
 * Which form of the scrape a request asks for.
 *
 * Written out rather than taken from a library: it is less than the glue that one would need, because a version in the
 * type has to be ours, and because a wildcard must not choose OpenMetrics.
 * @see RFC 9110, sections 12.4.2 (quality values), 12.5.1 (Accept) and 12.5.3 (Accept-Encoding)
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Form } from '../scrape';

/** What the answer depends on beside the time. */
export const VARY = 'Accept, Accept-Encoding';

interface Item {
  /** In lower case. */
  readonly name: string;
  readonly version: string | undefined;
  readonly quality: number;
}

/**
 * @returns OpenMetrics where it is named with a higher quality than the plain format has; gzip where it is accepted and
 *   no less wanted than the bare bytes. What cannot be read or satisfied is answered in the plain form: 406 would end
 *   the monitoring.
 */
export function formOf(headers: IncomingHttpHeaders): Form {
  const types = itemsOf(headers.accept);
  const openMetrics = quality(types, [['application/openmetrics-text', '1.0.0']]);
  const plain = quality(types, [['text/plain', '0.0.4'], ['text/*'], ['*/*']]);
  const encodings = itemsOf([headers['accept-encoding']].join());
  const gzip = quality(encodings, [['gzip'], ['x-gzip'], ['*']]);
  const identity = quality(encodings, [['identity']]);
  return { format: openMetrics > plain ? 'openmetrics' : 'text', isCompressed: gzip > 0 && gzip >= identity };
}

/** @param ranges from the most specific one on; @returns 0 where none is named */
function quality(items: readonly Item[], ranges: readonly (readonly [name: string, version?: string])[]): number {
  for (const [name, version] of ranges) {
    const named = items.filter((item) => item.name === name);
    const found = named.find((item) => item.version === version) ?? named.find((item) => item.version === undefined);
    if (found !== undefined) return found.quality;
  }
  return 0;
}

function itemsOf(header = ''): Item[] {
  return split(header, ',').map((element) => {
    const [name = '', ...parameters] = split(element, ';');
    const values = new Map(parameters.map(parameter));
    return { name: name.toLowerCase(), version: values.get('version'), quality: qualityValue(values.get('q')) };
  });
}

/** Parts between separators that are not in quotation marks. */
function split(text: string, separator: ',' | ';'): string[] {
  const part = separator === ',' ? /(?:[^",]|"(?:[^"\\]|\\.)*"?)+/g : /(?:[^";]|"(?:[^"\\]|\\.)*"?)+/g;
  return (text.match(part) ?? []).map((each) => each.trim());
}

function parameter(text: string): [name: string, value: string] {
  const at = text.indexOf('=');
  const value = text.slice(at + 1).trim();
  return [text.slice(0, Math.max(at, 0)).trim().toLowerCase(), value.replace(/^"(.*)"$/, '$1')];
}

/** What is none counts as zero, so that nobody gets by a slip what he does not understand. */
function qualityValue(text = '1'): number {
  return /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(text) ? Number(text) : 0;
}
