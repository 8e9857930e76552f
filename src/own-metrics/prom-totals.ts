/**
 * What members hold in registries of prom-client, in the hub: sums that outlive their process, and the values of the
 * processes that are there, aggregated as each metric says and as prom-client would aggregate the workers of a cluster.
 */

import { applicationLabelValue } from '../metrics/application-deltas';
import type { Deltas, FamilyDelta, LibraryMetric } from '../metrics/deltas';
import type { DropReason } from '../metrics/totals';
import { sampleNames } from '../views/prometheus-names';
import type { ForeignFamily } from './foreign-text';
import { isAddedUp, OTHER_AGGREGATORS, type PromSample, sampleKey } from './prom-samples';

/** A family as a member, or this process, describes it first. */
interface Family {
  readonly metric: LibraryMetric;
  readonly series: Map<string, Series>;
}

interface Series {
  readonly metric: LibraryMetric;
  readonly labels: readonly string[];
  readonly values: readonly string[];
  sum: number;
  /** By member, of those that are there. */
  readonly lasts: Map<string, number>;
}

/** That members may begin, and samples in multiples of the limit of series of one family. */
const MAX_FAMILIES = 1_000;
const MAX_FULL_FAMILIES = 20;

export class PromTotals {
  /** By origin and name. */
  private readonly families = new Map<string, Family>();
  private size = 0;

  /** @param seriesLimit of a family of ours */
  constructor(private readonly seriesLimit: number) {}

  /** Whether other processes are there; set where they are known. */
  hasMembers: () => boolean = () => false;

  /** Whether this process's registries are all that there is, and its text may stand as the library writes it. */
  get isAlone(): boolean {
    return this.families.size === 0 && !this.hasMembers();
  }

  /** Adds a member's deltas of prom-client. @returns why series were dropped, and how many */
  add(deltas: Deltas, member: string): ReadonlyMap<DropReason, number> {
    const dropped = new Map<DropReason, number>();
    for (const delta of deltas) {
      const { library } = delta;
      if (library === undefined) continue;
      const family = this.familyOf(delta, library);
      const reason = typeof family === 'string' ? family : undefined;
      let count = reason === undefined ? 0 : delta.series.length;
      if (typeof family !== 'string') {
        for (const row of delta.series) {
          const series = this.seriesOf(family, library, delta.labels, row.values.map(applicationLabelValue));
          if (series === undefined) count++;
          else if ('add' in row) series.sum += row.add;
          else if ('last' in row) series.lasts.set(member, Number(row.last));
        }
      }
      if (count > 0) dropped.set(reason ?? 'series', (dropped.get(reason ?? 'series') ?? 0) + count);
    }
    return dropped;
  }

  /** The values of a process that has ended go; its sums stay. */
  leave(member: string): void {
    for (const [name, { series, metric }] of this.families) {
      for (const [key, { lasts }] of series) {
        if (lasts.delete(member) && lasts.size === 0 && !isAddedUp(metric)) {
          series.delete(key);
          this.size--;
        }
      }
      if (series.size === 0) this.families.delete(name);
    }
  }

  /**
   * @param own what this process's registry holds, its first process
   * @returns the families of one origin, with those of the members
   */
  aggregated(origin: string, own: readonly PromSample[]): ForeignFamily[] {
    const families = new Map<string, Map<string, { series: Omit<Series, 'sum' | 'lasts'>; values: number[] }>>();
    const add = (family: string, series: Omit<Series, 'sum' | 'lasts'>, values: readonly number[]) => {
      const all = families.get(family) ?? new Map();
      families.set(family, all);
      const key = sampleKey(series.metric, series.labels, series.values);
      const known = all.get(key) ?? { series, values: [] };
      known.values.push(...values);
      all.set(key, known);
    };
    for (const sample of own) add(sample.family, sample, [sample.value]);
    for (const [key, { series }] of this.families) {
      const [from = '', name = ''] = key.split(' ');
      if (from !== origin) continue;
      for (const each of series.values()) {
        add(name, each, isAddedUp(each.metric) ? [each.sum] : [...each.lasts.values()]);
      }
    }
    return Array.from(families, ([name, samples]) => familyText(name, [...samples.values()]));
  }

  private familyOf({ family }: FamilyDelta, metric: LibraryMetric): Family | DropReason {
    const key = `${metric.origin} ${family}`;
    const known = this.families.get(key);
    if (known !== undefined) {
      const isSame = known.metric.type === metric.type && isAddedUp(known.metric) === isAddedUp(metric);
      return isSame ? known : 'clash';
    }
    if (this.families.size >= MAX_FAMILIES) return 'series';
    const created = { metric, series: new Map() };
    this.families.set(key, created);
    return created;
  }

  private seriesOf(
    { series }: Family,
    metric: LibraryMetric,
    labels: readonly string[],
    values: readonly string[],
  ): Series | undefined {
    const key = sampleKey(metric, labels, values);
    const known = series.get(key);
    if (known !== undefined) return known;
    if (this.size >= this.seriesLimit * MAX_FULL_FAMILIES) return undefined;
    this.size++;
    const created = { metric, labels, values, sum: 0, lasts: new Map() };
    series.set(key, created);
    return created;
  }
}

function familyText(
  name: string,
  samples: readonly { series: Omit<Series, 'sum' | 'lasts'>; values: readonly number[] }[],
): ForeignFamily {
  const [first] = samples;
  if (first === undefined) return { name, names: [name], text: '' };
  const { type, help } = first.series.metric;
  const lines = samples.flatMap(({ series: { metric, labels, values: texts }, values }) => {
    const aggregate =
      OTHER_AGGREGATORS[metric.aggregator] ?? ((all: readonly number[]) => all.reduce((a, b) => a + b, 0));
    const value = values.length > 0 ? aggregate(values) : undefined;
    if (value === undefined) return [];
    const pairs = labels.map((label, index) => `${label}="${escaped(texts[index] as string)}"`).join();
    return [`${metric.sample}${pairs === '' ? '' : `{${pairs}}`} ${numberText(value)}\n`];
  });
  const head = `# HELP ${name} ${help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')}\n# TYPE ${name} ${type}\n`;
  return { name, names: sampleNames(name, type), text: lines.length > 0 ? head + lines.join('') : '' };
}

function escaped(text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/"/g, '\\"');
}

function numberText(value: number): string {
  return Number.isFinite(value) || Number.isNaN(value) ? String(value) : `${value > 0 ? '+' : '-'}Inf`;
}
