/** One scrape, taken apart into what the page shows. */
import { CodeMeanings } from './outcome';
import { type Sample, samplesOf } from './scrape-text';
import { FamilyReader, type FamilyTotal } from './totals';

export const KINDS = ['inner', 'partner', 'consumer'] as const;
export type Kind = (typeof KINDS)[number];

/** Labels that make a row. */
const ROW_LABELS: Readonly<Record<Kind, readonly string[]>> = {
  inner: ['path'],
  partner: ['partner', 'action_code'],
  consumer: ['topic'],
};

export interface Snapshot {
  /** Milliseconds of a clock that never goes back. */
  readonly atMs: number;
  /** The same by the clock of the service, in milliseconds of the Unix epoch. */
  readonly epochMs: number;
  readonly bytes: number;
  readonly syscode: string;
  /** Names of the three families, as they are on the scrape. */
  readonly names: Readonly<Record<Kind, string>>;
  readonly families: Readonly<Record<Kind, FamilyTotal>>;
  readonly meanings: CodeMeanings;
  /** Samples of all other families that the page shows, by name. */
  readonly others: ReadonlyMap<string, readonly Sample[]>;
}

const HISTOGRAM = /_(?:count|sum|bucket)$/;
const OTHERS =
  /^(channel_|partner_http_errors_total$|process_(cpu_seconds_total|resident_memory_bytes|start_time_seconds|open_fds|max_fds)$|nodejs_eventloop_lag_p99_seconds$)/;

/**
 * @param atMs when it was asked for
 * @param epochMs the same by the clock of the service
 */
export function snapshotOf(text: string, atMs: number, epochMs = 0): Snapshot {
  const others = new Map<string, Sample[]>();
  const meanings = new CodeMeanings();
  for (const sample of samplesOf(text, (name) => OTHERS.test(name))) {
    const { name, labels } = sample;
    const known = others.get(name);
    if (known === undefined) others.set(name, [sample]);
    else known.push(sample);
    if (name === 'channel_business_code_info') {
      const { family = '', partner = '', code = '', success } = labels;
      meanings.add(family, partner, code, success === 'true');
    }
  }
  const syscode = others.get('channel_exporter_info')?.[0]?.labels.application ?? '';
  const names = {
    inner: `${syscode}_inner_metrics`,
    partner: 'partner_http_metrics',
    consumer: `${syscode}_consumer_metrics`,
  };
  const readers = new Map(
    KINDS.map((kind) => [names[kind], new FamilyReader(names[kind], ROW_LABELS[kind], meanings)]),
  );
  const familyOf = (name: string) => name.replace(HISTOGRAM, '');
  for (const sample of samplesOf(text, (name) => HISTOGRAM.test(name) && readers.has(familyOf(name)))) {
    readers.get(familyOf(sample.name))?.add(sample);
  }
  const total = (kind: Kind) => (readers.get(names[kind]) as FamilyReader).total();
  const families = { inner: total('inner'), partner: total('partner'), consumer: total('consumer') };
  return { atMs, epochMs, bytes: text.length, syscode, names, families, meanings, others };
}

/** Label and value of each sample of a family. */
export function valuesOf({ others }: Pick<Snapshot, 'others'>, name: string): readonly Sample[] {
  return others.get(name) ?? [];
}
