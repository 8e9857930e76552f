/** What a registry of prom-client holds, sample by sample, and what was added to it since the last time. */
import { applicationLabelValue, lastOf, MAX_HELP_CHARACTERS, MAX_LABELS } from '../metrics/application-deltas';
import { type Deltas, type FamilyDelta, LIBRARY_TYPES, type LibraryMetric, type SeriesDelta } from '../metrics/deltas';
import { MAX_LABEL_CHARACTERS } from '../metrics/label-limits';

/** A metric as `getMetricsAsJSON()` gives it; whatever the application has registered. */
interface RawMetric {
  readonly name?: unknown;
  readonly help?: unknown;
  readonly type?: unknown;
  readonly aggregator?: unknown;
  readonly values?: readonly { readonly value?: unknown; readonly labels?: object; readonly metricName?: unknown }[];
}

export interface PromSample {
  /** Name of the family. */
  readonly family: string;
  readonly metric: LibraryMetric;
  readonly labels: readonly string[];
  readonly values: readonly string[];
  readonly value: number;
}

const NAME = /^[A-Za-z_:][\w:]*$/;
const LABEL = /^[A-Za-z_]\w*$/;
/** Read of one registry at most. */
const MAX_SAMPLES = 100_000;

/**
 * @param origin package of the registry
 * @param isOpenMetrics whether its text would have `_total` added to the names of counters
 */
export function promSamples(metrics: readonly unknown[], origin: string, isOpenMetrics: boolean): PromSample[] {
  const samples: PromSample[] = [];
  for (const raw of metrics as readonly RawMetric[]) {
    const metric = metricOf(raw, origin);
    if (metric === undefined) continue;
    const { type, sample: own } = metric;
    const ending = isOpenMetrics && type === 'counter' && !own.endsWith('_total') ? '_total' : '';
    for (const { value, labels = {}, metricName } of raw.values ?? []) {
      const sample = String(metricName ?? own) + ending;
      const names = Object.keys(labels);
      if (typeof value !== 'number' || !NAME.test(sample) || names.length > MAX_LABELS) continue;
      // those of several processes cannot be added up
      if (type === 'summary' && names.includes('quantile')) continue;
      if (!names.every((name) => LABEL.test(name) && name.length <= MAX_LABEL_CHARACTERS)) continue;
      if (samples.length >= MAX_SAMPLES) return samples;
      const values = Object.values(labels).map((text) => applicationLabelValue(String(text)));
      samples.push({ family: own + ending, metric: { ...metric, sample }, labels: names, values, value });
    }
  }
  return samples;
}

function metricOf({ name, help, type, aggregator }: RawMetric, origin: string): LibraryMetric | undefined {
  const found = LIBRARY_TYPES.find((each) => each === type);
  if (typeof name !== 'string' || !NAME.test(name) || name.length > MAX_LABEL_CHARACTERS - '_bucket'.length)
    return undefined;
  if (found === undefined) return undefined;
  const text = String(help ?? '').slice(0, MAX_HELP_CHARACTERS);
  return { origin, sample: name, type: found, help: text, aggregator: String(aggregator ?? 'sum').slice(0, 16) };
}

/** Whether the values of ended processes stay in the total; a gauge is that of the processes that are there. */
export function isAddedUp({ type, aggregator }: LibraryMetric): boolean {
  return type !== 'gauge' && !(aggregator in OTHER_AGGREGATORS);
}

/** As prom-client aggregates the workers of a cluster; what is not here is added up. */
export const OTHER_AGGREGATORS: Readonly<Record<string, (values: readonly number[]) => number | undefined>> = {
  first: ([first]) => first,
  omit: () => undefined,
  average: (values) => values.reduce((sum, value) => sum + value, 0) / values.length,
  min: (values) => values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY),
  max: (values) => values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY),
};

/** The same for the same series of a family in every process. */
export function sampleKey(metric: LibraryMetric, labels: readonly string[], values: readonly string[]): string {
  const pairs = labels.map((label, index) => `${label}=${JSON.stringify(values[index])}`);
  return `${metric.sample} ${pairs.sort().join()}`;
}

/** Differences to the last time, of one registry. */
export class PromDifferences {
  private last = new Map<string, number>();

  /** @returns what was added to what is added up, if anything, and all other values as they are */
  take(samples: readonly PromSample[]): Deltas {
    const now = new Map<string, number>();
    const deltas = new Map<string, FamilyDelta & { series: SeriesDelta[] }>();
    for (const { family, metric, labels, values, value } of samples) {
      if (metric.aggregator === 'omit') continue;
      let row: SeriesDelta;
      if (isAddedUp(metric)) {
        if (!Number.isFinite(value) || value < 0) continue;
        const key = sampleKey(metric, labels, values);
        const before = this.last.get(key);
        now.set(key, value);
        if (value === before) continue;
        // a lower value is that of a metric that was reset
        row = { values, add: before === undefined || value < before ? value : value - before };
      } else row = { values, last: lastOf(value), at: 0 };
      const group = `${metric.sample} ${labels.join()}`;
      let delta = deltas.get(group);
      if (delta === undefined) {
        delta = { family, labels, library: metric, series: [] };
        deltas.set(group, delta);
      }
      delta.series.push(row);
    }
    this.last = now;
    return [...deltas.values()];
  }
}
