/**
 * What the application's own instruments measured, as deltas: under the names and labels that Prometheus sees, bounded
 * in every process alike, so that a hub takes what a member sends.
 */
import type { Attributes } from '@opentelemetry/api';
import type { MetricData, ScopeMetrics } from '@opentelemetry/sdk-metrics';
import { errorText, warn } from '../diagnostics/log';
import { prometheusFamilyName, prometheusLabelName } from '../views/prometheus-names';
import { DataPointType } from '../views/sdk-constants';
import type { ApplicationInstrument, Deltas, FamilyDelta, SeriesDelta } from './deltas';
import { MAX_LABEL_CHARACTERS } from './label-limits';
import type { Value } from './values';

type Scope = ScopeMetrics['scope'];
type Kind = ApplicationInstrument['kind'];
/** Of the instrument, or of the View that the application has laid over it. */
export type Descriptor = MetricData['descriptor'];

/** Longest texts of an instrument, in characters. */
export const MAX_HELP_CHARACTERS = 1_000;
export const MAX_UNIT_CHARACTERS = 63;
export const MAX_OWNER_CHARACTERS = 500;
/** Series with more labels are added up in the overflow series; a family with more boundaries is left out. */
export const MAX_LABELS = 32;
export const MAX_BOUNDARIES = 1_000;
/** As the SDK labels what is beyond its own limit. */
export const OVERFLOW = { otel_metric_overflow: 'true' } as const;

/** A family of the application, and the instrument that it belongs to. */
export interface ApplicationFamily {
  readonly family: string;
  readonly boundaries?: readonly number[];
  readonly instrument: ApplicationInstrument;
}

/** A series without its labels. */
type Row = SeriesDelta extends infer Each ? (Each extends unknown ? Omit<Each, 'values'> : never) : never;

/** Rows on their way to become deltas, which have series with the same labels each. */
export class LabelledRows {
  private readonly deltas = new Map<string, FamilyDelta & { series: SeriesDelta[] }>();

  /** Adds one series. */
  add(family: ApplicationFamily, attributes: Attributes, row: Row): void {
    const labels = labelsOf(attributes, family.instrument.kind);
    const names = Object.keys(labels);
    const key = `${family.family} ${family.instrument.owner} ${names.join()}`;
    let delta = this.deltas.get(key);
    if (delta === undefined) {
      delta = { ...family, labels: names, series: [] };
      this.deltas.set(key, delta);
    }
    delta.series.push({ values: Object.values(labels), ...row } as SeriesDelta);
  }

  toDeltas(): Deltas {
    return [...this.deltas.values()];
  }
}

/**
 * @param timeOf when a gauge was recorded under these attributes, in ms since the epoch; now for those that are observed
 * @returns what the SDK collected of the application's meters; what cannot be told is left out and reported
 */
export function applicationDeltas(
  scopeMetrics: readonly ScopeMetrics[],
  timeOf: (attributes: Attributes) => number,
): Deltas {
  const rows = new LabelledRows();
  for (const { scope, metrics } of scopeMetrics) {
    for (const metric of metrics) {
      try {
        addMetric(rows, scope, metric, timeOf);
      } catch (error) {
        // whatever an application put in must not cost the scrape
        warn('CHX_INTERNAL', 'meter', `a family of the meter ${scope.name} could not be added up: ${errorText(error)}`);
      }
    }
  }
  return rows.toDeltas();
}

function addMetric(
  rows: LabelledRows,
  scope: Scope,
  metric: MetricData,
  timeOf: (attributes: Attributes) => number,
): void {
  const kind = kindOf(metric);
  const family = kind && familyOf(scope, metric.descriptor, kind, boundariesOf(metric));
  if (family === undefined) return;
  for (const { attributes, value } of metric.dataPoints) {
    const row = rowOf(family.instrument.kind, value as Value, () => timeOf(attributes));
    if (row !== undefined) rows.add(family, attributes, row);
  }
}

/** @returns undefined where nothing of the name is left, or where it has too many boundaries */
export function familyOf(
  scope: Scope,
  descriptor: Descriptor,
  kind: Kind,
  boundaries: readonly number[] | undefined,
): ApplicationFamily | undefined {
  const instrument = String(descriptor.name);
  const family = prometheusFamilyName(instrument, kind === 'counter');
  if (family === undefined || family.length > MAX_LABEL_CHARACTERS) return undefined;
  if (boundaries !== undefined && boundaries.length > MAX_BOUNDARIES) {
    const text = `${family} is left out of the scrape: it has more than ${MAX_BOUNDARIES} boundaries`;
    warn('CHX_OWN_METRICS_FAILED', family, text);
    return undefined;
  }
  const { name, version = '', schemaUrl = '' } = scope;
  const { valueType } = descriptor;
  const unit = String(descriptor.unit ?? '');
  const owner = JSON.stringify([name, version, schemaUrl, kind, instrument.toLowerCase(), unit, valueType]);
  return {
    family,
    ...(boundaries === undefined ? {} : { boundaries }),
    instrument: {
      kind,
      isObservable: isObservable(descriptor),
      help: String(descriptor.description ?? '').slice(0, MAX_HELP_CHARACTERS),
      unit: unit.slice(0, MAX_UNIT_CHARACTERS),
      meter: name.slice(0, MAX_LABEL_CHARACTERS),
      owner: owner.slice(0, MAX_OWNER_CHARACTERS),
    },
  };
}

function kindOf(metric: MetricData): Kind | undefined {
  switch (metric.dataPointType) {
    case DataPointType.SUM:
      return metric.isMonotonic ? 'counter' : 'upDownCounter';
    case DataPointType.GAUGE:
      return 'gauge';
    case DataPointType.HISTOGRAM:
      return 'histogram';
    default:
      return undefined;
  }
}

/** All points of one collection have those of the instrument. */
function boundariesOf({ dataPointType, dataPoints }: MetricData): readonly number[] | undefined {
  if (dataPointType !== DataPointType.HISTOGRAM) return undefined;
  return (dataPoints[0]?.value as Exclude<Value, number> | undefined)?.buckets.boundaries ?? [];
}

/** The descriptor that the SDK hands over is the instrument's own and says its type, though the type does not. */
function isObservable(descriptor: Descriptor): boolean {
  return String((descriptor as { type?: unknown }).type).startsWith('OBSERVABLE');
}

/** @returns undefined for a sum that is no number any more: it would spoil the total for ever */
function rowOf(kind: Kind, value: Value, at: () => number): Row | undefined {
  if (typeof value !== 'number') {
    const { count, sum = 0, buckets } = value;
    return Number.isFinite(sum) ? { count, sum, buckets: buckets.counts } : undefined;
  }
  if (kind === 'gauge') return { last: lastOf(value), at: at() };
  return Number.isFinite(value) ? { add: value } : undefined;
}

/** A gauge's value as it travels. */
export function lastOf(value: number): number | 'NaN' | 'Infinity' | '-Infinity' {
  return Number.isFinite(value) ? value : (String(value) as 'NaN');
}

/** Attributes as labels: two sets that would be written alike are one series. */
function labelsOf(attributes: Attributes, kind: Kind): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  for (const [attribute, value] of Object.entries(attributes)) {
    const text = typeof value === 'string' ? value : (JSON.stringify(value ?? '') ?? '');
    const name = prometheusLabelName(attribute).slice(0, MAX_LABEL_CHARACTERS);
    // the boundary's own label
    labels[name === 'le' && kind === 'histogram' ? 'exported_le' : name] = applicationLabelValue(text);
  }
  return Object.keys(labels).length > MAX_LABELS ? OVERFLOW : labels;
}

/** @returns the value as it is on the scrape: of bounded length, and text that can be encoded */
export function applicationLabelValue(text: string): string {
  const cut = text.length > MAX_LABEL_CHARACTERS ? `${text.slice(0, MAX_LABEL_CHARACTERS - 3)}...` : text;
  return /\p{Surrogate}/u.test(cut) ? cut.replace(/\p{Surrogate}/gu, '\uFFFD') : cut;
}
