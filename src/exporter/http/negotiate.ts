/**
 * Content negotiation: which format and encoding of the scrape a request accepts.
 *
 * No library is used: the version parameter of the type matters, and a wildcard must not choose OpenMetrics; adapting a
 * library to both takes more code.
 * @see RFC 9110, sections 12.4.2 (quality values), 12.5.1 (Accept) and 12.5.3 (Accept-Encoding)
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Scraper } from '../beginnings';
import type { Form } from '../scrape';

/** Request headers that the answer depends on. */
export const VARY = 'Accept, Accept-Encoding';

/** Prometheus, vmagent and the Collector send it; people and programs that come once do not. */
const COMES_AGAIN = 'x-prometheus-scrape-timeout-seconds';
const MAX_SCRAPER_CHARACTERS = 200;

interface Item {
  /** In lower case. */
  readonly name: string;
  readonly version: string | undefined;
  readonly quality: number;
}

/**
 * @returns OpenMetrics where its quality is higher than that of the plain format; gzip where its quality is at least
 *   that
 *   of identity. A header that is malformed or cannot be satisfied gets the plain form: 406 would end the monitoring.
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

/** @returns undefined for whoever does not say that it will come again */
export function scraperOf({ headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>): Scraper | undefined {
  if (headers[COMES_AGAIN] === undefined) return undefined;
  const name = `${socket.remoteAddress} ${headers['user-agent']}`.slice(0, MAX_SCRAPER_CHARACTERS);
  return { name, connection: socket };
}

/**
 * @param ranges the most specific one first
 * @returns the quality of the first range that is named; 0 when none is
 */
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

/** Splits at separators outside quotation marks. */
function split(text: string, separator: ',' | ';'): string[] {
  const part = separator === ',' ? /(?:[^",]|"(?:[^"\\]|\\.)*"?)+/g : /(?:[^";]|"(?:[^"\\]|\\.)*"?)+/g;
  return (text.match(part) ?? []).map((each) => each.trim());
}

function parameter(text: string): [name: string, value: string] {
  const at = text.indexOf('=');
  const value = text.slice(at + 1).trim();
  return [text.slice(0, Math.max(at, 0)).trim().toLowerCase(), value.replace(/^"(.*)"$/, '$1')];
}

/** A malformed quality counts as 0, so that no scraper gets a format that it may not understand. */
function qualityValue(text = '1'): number {
  return /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(text) ? Number(text) : 0;
}
