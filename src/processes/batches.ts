/** Splits deltas into batches that fit a frame, and checks deltas that arrive. */
import {
  MAX_BOUNDARIES,
  MAX_HELP_CHARACTERS,
  MAX_LABELS,
  MAX_OWNER_CHARACTERS,
  MAX_UNIT_CHARACTERS,
} from '../metrics/application-deltas';
import {
  type ApplicationInstrument,
  type Deltas,
  type FamilyDelta,
  type HistogramDelta,
  INSTRUMENT_KINDS,
  LIBRARY_ORIGINS,
  LIBRARY_TYPES,
  type LibraryMetric,
  NON_FINITE,
  type SeriesDelta,
} from '../metrics/deltas';
import { isExponential } from '../metrics/exponential';
import { MAX_LABEL_CHARACTERS } from '../metrics/label-limits';
import { prometheusFamilyName, prometheusLabelName, sampleNames } from '../views/prometheus-names';

/**
 * Target size of a batch: it fits the buffer of a local socket, so that a hub that hangs does not block a member's
 * exit.
 */
const BATCH_BYTES = 64 * 1024;
const MAX_AGGREGATOR_CHARACTERS = 16;
/** Label names that Prometheus accepts; `le` belongs to the buckets. */
const LABEL_NAME = /^(?!le$)[A-Za-z_]\w*$/;

/** @returns batches in the order of the series, each smaller than a frame; none when nothing was measured */
export function* toBatches(deltas: Deltas): Generator<Deltas> {
  let batch: FamilyDelta[] = [];
  let bytes = 0;
  for (const delta of deltas) {
    let current: SeriesDelta[] | undefined;
    for (const row of delta.series) {
      bytes += sizeOf(row) + (current === undefined ? sizeOfHead(delta) : 0);
      if (bytes > BATCH_BYTES && batch.length > 0) {
        yield batch;
        batch = [];
        bytes = sizeOf(row) + sizeOfHead(delta);
        current = undefined;
      }
      if (current === undefined) {
        current = [];
        batch.push({ ...delta, series: current });
      }
      current.push(row);
    }
  }
  if (batch.length > 0) yield batch;
}

/** Bytes of a series in a frame, estimated. */
function sizeOf(row: SeriesDelta): number {
  const characters = row.values.reduce((sum, value) => sum + value.length + 3, 0);
  const numbers = 'buckets' in row ? row.buckets.length + 3 + sizeOfExponential(row) : 1;
  return characters * 3 + numbers * 8 + 64;
}

/** In numbers. */
function sizeOfExponential({ exponential }: HistogramDelta): number {
  return exponential === undefined ? 0 : exponential.counts.length + 16;
}

/** Bytes of a family without its series, estimated: an application may have many families of one series each. */
function sizeOfHead({ family, labels, boundaries = [], instrument, library }: FamilyDelta): number {
  const { help = '', owner = '', meter = '' } = instrument ?? {};
  const texts = [library?.help ?? '', library?.sample ?? '', help, owner, meter];
  const characters = [family, ...texts, ...labels].reduce((sum, text) => sum + text.length + 3, 0);
  return characters * 3 + boundaries.length * 8 + 128;
}

/** Whether a parsed value has the shape of deltas, every field checked. */
export function isDeltas(value: unknown): value is Deltas {
  return Array.isArray(value) && value.every(isFamilyDelta);
}

function isFamilyDelta(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { family, labels, boundaries, series, instrument, library } = value as Record<string, unknown>;
  if (typeof family !== 'string' || !isTexts(labels) || labels.length > MAX_LABELS || !Array.isArray(series)) {
    return false;
  }
  if (new Set(labels).size !== labels.length || !isBoundaries(boundaries)) return false;
  const [width, buckets] = [labels.length, boundaries === undefined ? 0 : boundaries.length + 1];
  if (instrument !== undefined) {
    return (
      isInstrument(instrument) &&
      isName(family, instrument.kind) &&
      labels.every((label) => isLabel(label, instrument.kind)) &&
      (instrument.kind === 'histogram') === (boundaries !== undefined) &&
      series.every((row) => isSeriesOf(instrument.kind, row, width, buckets))
    );
  }
  if (library !== undefined) {
    return (
      isLibraryMetric(library) &&
      isLibraryName(family) &&
      sampleNames(family, library.type).includes(library.sample) &&
      labels.every((label) => /^[A-Za-z_]\w*$/.test(label) && label.length <= MAX_LABEL_CHARACTERS) &&
      boundaries === undefined &&
      series.every((row) => isSeriesOf('counter', row, width, 0) || isSeriesOf('gauge', row, width, 0))
    );
  }
  if (!labels.every((label) => LABEL_NAME.test(label))) return false;
  return series.every(
    (row) =>
      (boundaries === undefined ? isNumberDelta(row, width) : isHistogramDelta(row, width, buckets)) && isMarked(row),
  );
}

/** Whether what may be said of a series beside its values is what it should be. */
function isMarked({ begin, isPath }: { readonly begin?: unknown; readonly isPath?: unknown }): boolean {
  return (begin === undefined || isAmount(begin)) && (isPath === undefined || typeof isPath === 'boolean');
}

function isBoundaries(value: unknown): value is number[] | undefined {
  if (value === undefined) return true;
  return Array.isArray(value) && value.length <= MAX_BOUNDARIES && value.every((boundary) => Number.isFinite(boundary));
}

function isInstrument(value: unknown): value is ApplicationInstrument {
  if (typeof value !== 'object' || value === null) return false;
  const { kind, isObservable, help, unit, meter, owner } = value as Record<string, unknown>;
  return (
    INSTRUMENT_KINDS.includes(kind as ApplicationInstrument['kind']) &&
    typeof isObservable === 'boolean' &&
    isText(help, MAX_HELP_CHARACTERS) &&
    isText(unit, MAX_UNIT_CHARACTERS) &&
    isText(meter, MAX_LABEL_CHARACTERS) &&
    isText(owner, MAX_OWNER_CHARACTERS) &&
    // the owner of our own names is empty
    owner !== ''
  );
}

function isLibraryMetric(value: unknown): value is LibraryMetric {
  if (typeof value !== 'object' || value === null) return false;
  const { origin, type, help, aggregator, sample } = value as Record<string, unknown>;
  return (
    LIBRARY_ORIGINS.includes(origin as (typeof LIBRARY_ORIGINS)[number]) &&
    LIBRARY_TYPES.includes(type as (typeof LIBRARY_TYPES)[number]) &&
    isText(help, MAX_HELP_CHARACTERS) &&
    isText(aggregator, MAX_AGGREGATOR_CHARACTERS) &&
    isLibraryName(sample)
  );
}

function isLibraryName(value: unknown): boolean {
  return isText(value, MAX_LABEL_CHARACTERS) && /^[A-Za-z_:][\w:]*$/.test(value);
}

/** A name that this process would give, so that it spoils neither the scrape nor another name. */
function isName(family: string, kind: ApplicationInstrument['kind']): boolean {
  return family.length <= MAX_LABEL_CHARACTERS && prometheusFamilyName(family, kind === 'counter') === family;
}

function isLabel(label: string, kind: ApplicationInstrument['kind']): boolean {
  if (label === 'le' && kind === 'histogram') return false;
  return label.length <= MAX_LABEL_CHARACTERS && prometheusLabelName(label) === label;
}

function isSeriesOf(kind: ApplicationInstrument['kind'], value: unknown, labels: number, buckets: number): boolean {
  if (kind === 'histogram') return isHistogramDelta(value, labels, buckets);
  if (typeof value !== 'object' || value === null) return false;
  const { values, add, last, at } = value as Record<string, unknown>;
  if (!isTexts(values) || values.length !== labels) return false;
  if (kind !== 'gauge') return last === undefined && (kind === 'counter' ? isAmount(add) : Number.isFinite(add));
  const isValue = Number.isFinite(last) || NON_FINITE.includes(last as (typeof NON_FINITE)[number]);
  return add === undefined && isValue && isAmount(at);
}

/** A series of a counter (`add`), or of a gauge (`last`). */
function isNumberDelta(value: unknown, labels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { values, add, last } = value as Record<string, unknown>;
  if (!isTexts(values) || values.length !== labels) return false;
  return last === undefined ? isAmount(add) : add === undefined && Number.isFinite(last);
}

function isHistogramDelta(value: unknown, labels: number, length: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { values, count, sum, buckets, exponential } = value as Record<string, unknown>;
  if (!isTexts(values) || values.length !== labels || !isAmount(count) || !isAmount(sum)) return false;
  if (!Array.isArray(buckets) || buckets.length !== length || !buckets.every(isAmount)) return false;
  if (exponential !== undefined && !isExponential(exponential, count)) return false;
  // Prometheus rejects the whole scrape when a histogram's buckets do not add up to its count
  return buckets.reduce((total: number, each: number) => total + each, 0) === count;
}

function isText(value: unknown, characters: number): value is string {
  return typeof value === 'string' && value.length <= characters;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((text) => typeof text === 'string');
}

/** Counters never decrease. */
function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
