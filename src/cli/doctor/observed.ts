/** What a run has shown: its scrape and the lines of its log, as far as the report needs them. */
import type { ScrapedFamily, Series } from '../scrape/families';
import type { RunFacts } from './run';

/** Something that was counted, by one label. */
export interface Counted {
  readonly name: string;
  readonly count: number;
}

export interface Observed {
  /** The line of the start; undefined: it was not written. */
  readonly startLine: string | undefined;
  /** Sources that have found what they observe. */
  readonly sources: readonly string[];
  readonly hasScrape: boolean;
  /** Processes of the service at the last scrape. */
  readonly processes: number;
  /** By path, topic and so on; most first. */
  readonly requests: readonly Counted[];
  readonly partnerCalls: readonly Counted[];
  readonly messages: readonly Counted[];
  /** Requests that are in no count, by reason. */
  readonly unrecorded: readonly Counted[];
  /** Calls that meet a partner but no entry, by partner and reason. */
  readonly misses: readonly Counted[];
  /** Entries of the partner file that no call has met, by kind. */
  readonly unmatched: readonly Counted[];
  /** Lines with a code, each once. */
  readonly warnings: readonly string[];
  /** What was logged of calls that meet no entry. */
  readonly unknownCalls: readonly string[];
}

const START_LINE = /^\d\S*, [A-Z]\d{9}, .*; observes (.*?)(?:; off by [^;]*)*; partner hosts: /;
const FROM_NOW_ON = /^observes (\S+) from now on$/;
const UNKNOWN_CALL = /^calls to .* (?:are not recorded|have no action code): /;

export function observedIn({ families = [], lines }: RunFacts, hasScrape: boolean): Observed {
  const startLine = lines.find((line) => START_LINE.test(line));
  const first = START_LINE.exec(startLine ?? '')?.[1]?.split(', ') ?? [];
  const later = lines.flatMap((line) => FROM_NOW_ON.exec(line)?.[1] ?? []);
  const find = (ending: string | RegExp) =>
    families.find(({ name }) => (typeof ending === 'string' ? name === ending : ending.test(name)));
  return {
    startLine,
    sources: [...new Set([...first.filter((name) => name !== 'nothing yet'), ...later])],
    hasScrape,
    processes: total(find('channel_exporter_processes')),
    requests: countedBy(find(/^[A-Z]\d{9}_inner_metrics$/), ['path']),
    partnerCalls: countedBy(find('partner_http_metrics'), ['partner', 'action_code']),
    messages: countedBy(find(/^[A-Z]\d{9}_consumer_metrics$/), ['topic']),
    unrecorded: countedBy(find('channel_exporter_unrecorded_requests_total'), ['reason']),
    misses: countedBy(find('channel_exporter_partner_misses_total'), ['partner', 'reason']),
    unmatched: countedBy(find('channel_exporter_partner_unmatched'), ['kind']),
    warnings: [...new Set(lines.filter((line) => line.startsWith('CHX_')))],
    unknownCalls: [...new Set(lines.filter((line) => UNKNOWN_CALL.test(line)))],
  };
}

function total(family: ScrapedFamily | undefined): number {
  return [...(family?.series.values() ?? [])].reduce((sum, { value }) => sum + value, 0);
}

/** @param labels whose values, with a space between, are the name. @returns what is more than 0 */
function countedBy(family: ScrapedFamily | undefined, labels: readonly string[]): Counted[] {
  const counts = new Map<string, number>();
  for (const series of family?.series.values() ?? []) {
    const name = nameOf(series, labels);
    counts.set(name, (counts.get(name) ?? 0) + series.value);
  }
  return Array.from(counts, ([name, count]) => ({ name, count }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count);
}

function nameOf({ labels }: Series, names: readonly string[]): string {
  return names
    .map((name) => labels[name] ?? '')
    .filter((value) => value !== '')
    .join(' ');
}
