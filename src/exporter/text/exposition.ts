/**
 * Writes the scrape: the Prometheus text format 0.0.4, or OpenMetrics 1.0.
 *
 * The former equals the text of OpenTelemetry's PrometheusSerializer (a test compares them) with two exceptions: `le`
 * is written as Python, OpenMetrics and Prometheus 3 write it, `100.0`, and a histogram without boundaries is a
 * summary. To Prometheus 2, `le="100"` and `le="100.0"` are two series: a query over Python and Node services would
 * miss one of them.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
import type { DataPoint, Histogram, MetricData } from '@opentelemetry/sdk-metrics';
import { millisecondsOf } from '../../runtime/hr-time';
import { DataPointType } from '../../views/sdk-constants';
import { isUnseen, type Unseen } from '../beginnings';
import { Chunks, NUMBER_BYTES, UTF8_BYTES } from './chunks';
import { type FamilyLabels, LabelTexts } from './label-texts';

export type Format = 'text' | 'openmetrics';

/** How one scrape is written. */
export interface Style {
  readonly format: Format;
  /** What is written as zero; absent where everything is true at once. */
  readonly unseen?: Unseen | undefined;
  /** Whether OpenMetrics gets the time at which each counter and histogram began. */
  readonly created?: boolean | undefined;
}

export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

const MS_PER_SECOND = 1_000;
/** Suffix of a counter's samples; in OpenMetrics the name of its family does not have it. */
const COUNTER_SUFFIX = '_total';

/** @returns the text of all families, with a newline at the end */
export function metricsText(metrics: readonly MetricData[], format: Format = 'text'): string {
  const chunks = new Chunks();
  for (const _step of writeMetrics(metrics, { format }, new LabelTexts(), chunks));
  return Buffer.concat(chunks.takeAll()).toString();
}

/**
 * Writes all families. One step is one series: its counts are read and written together, because they may rise between
 * two steps.
 * @throws {Error} for an exponential histogram, which neither format has
 */
export function* writeMetrics(
  metrics: readonly MetricData[],
  style: Style,
  labels: LabelTexts,
  chunks: Chunks,
): Generator<void> {
  for (const metric of metrics) {
    const known = labels.of(metric.descriptor.name);
    yield* writeFamily(metric, style, known, chunks);
    known.keepFirst(metric.dataPoints.length);
  }
  if (style.format === 'openmetrics') chunks.add('# EOF\n');
}

function* writeFamily(metric: MetricData, style: Style, labels: FamilyLabels, chunks: Chunks): Generator<void> {
  const { format, unseen } = style;
  const { name } = metric.descriptor;
  const createdName = style.created && format === 'openmetrics' ? `${withoutSuffix(name)}_created` : undefined;
  const type = typeOf(metric);
  chunks.add(headText(metric, type, format));
  switch (metric.dataPointType) {
    case DataPointType.HISTOGRAM: {
      const boundaryTexts = new BoundaryTexts();
      for (const [index, point] of metric.dataPoints.entries()) {
        const text = labels.text(index, point.attributes);
        const value = unseen !== undefined && isUnseen(point, unseen) ? emptyHistogram(point.value) : point.value;
        if (type === 'summary') chunks.add(summaryText(name, text, value));
        else writeHistogram(name, text, value, boundaryTexts, chunks);
        if (createdName !== undefined) chunks.add(createdText(createdName, text, point));
        yield;
      }
      break;
    }
    case DataPointType.SUM:
    case DataPointType.GAUGE:
      for (const [index, point] of metric.dataPoints.entries()) {
        const value = unseen !== undefined && isUnseen(point, unseen) ? 0 : point.value;
        const text = labels.text(index, point.attributes);
        chunks.add(`${name}${braced(text)} ${numberText(value)}\n`);
        if (createdName !== undefined && type === 'counter') chunks.add(createdText(createdName, text, point));
        yield;
      }
  }
}

function typeOf(metric: MetricData): string {
  switch (metric.dataPointType) {
    case DataPointType.HISTOGRAM:
      // without boundaries the only bucket is the count
      return metric.dataPoints.length > 0 && metric.dataPoints.every(hasNoBoundaries) ? 'summary' : 'histogram';
    case DataPointType.SUM:
      return metric.isMonotonic ? 'counter' : 'gauge';
    case DataPointType.GAUGE:
      return 'gauge';
    default:
      throw new Error(`${metric.descriptor.name} is of a kind that the Prometheus text format does not have`);
  }
}

function hasNoBoundaries({ value }: DataPoint<Histogram>): boolean {
  return value.buckets.boundaries.length === 0;
}

function createdText(name: string, labels: string, { startTime }: DataPoint<unknown>): string {
  return `${name}${braced(labels)} ${millisecondsOf(startTime) / MS_PER_SECOND}\n`;
}

function emptyHistogram({ sum, buckets: { boundaries, counts } }: Histogram): Histogram {
  const buckets = { boundaries, counts: counts.map(() => 0) };
  return { buckets, count: 0, ...(sum === undefined ? {} : { sum: 0 }) };
}

function headText({ descriptor }: MetricData, type: string, format: Format): string {
  const isOpenMetrics = format === 'openmetrics';
  const family = isOpenMetrics && type === 'counter' ? withoutSuffix(descriptor.name) : descriptor.name;
  const help = escapeHelp(descriptor.description);
  return `# HELP ${family} ${isOpenMetrics ? help.replace(/"/g, '\\"') : help}\n# TYPE ${family} ${type}\n`;
}

function withoutSuffix(counter: string): string {
  return counter.endsWith(COUNTER_SUFFIX) ? counter.slice(0, -COUNTER_SUFFIX.length) : counter;
}

function summaryText(name: string, labels: string, value: Histogram): string {
  const count = `${name}_count${braced(labels)} ${numberText(value.count)}\n`;
  return value.sum === undefined ? count : `${count}${name}_sum${braced(labels)} ${numberText(value.sum)}\n`;
}

function braced(labels: string): string {
  return labels === '' ? '' : `{${labels}}`;
}

function writeHistogram(name: string, labels: string, value: Histogram, texts: BoundaryTexts, chunks: Chunks): void {
  const { boundaries, counts } = value.buckets;
  const summary = summaryText(name, labels, value);
  const before = `${name}_bucket{${labels}${labels === '' ? '' : ','}`;
  const endings = texts.of(boundaries);
  const lineBytes = before.length * UTF8_BYTES + NUMBER_BYTES + texts.longest + 1;
  chunks.reserve(summary.length * UTF8_BYTES + counts.length * lineBytes);

  chunks.write(summary);
  const start = chunks.length;
  chunks.write(before);
  const end = chunks.length;
  let cumulative = 0;
  for (const [index, count] of counts.entries()) {
    if (index > 0) chunks.repeat(start, end);
    chunks.bytes(endings[index] as Uint8Array);
    cumulative += count;
    chunks.number(cumulative);
    chunks.bytes(NEWLINE);
  }
}

const NEWLINE = Buffer.from('\n');

/**
 * The text after the labels in the lines of the buckets; cached, because all series of a family have the same
 * boundaries.
 */
class BoundaryTexts {
  private boundaries: readonly number[] | undefined;
  private texts: readonly Uint8Array[] = [];
  /** Length of the longest text in bytes. */
  longest = 0;

  of(boundaries: readonly number[]): readonly Uint8Array[] {
    if (this.boundaries === undefined || !isSame(this.boundaries, boundaries)) {
      const all = [...boundaries, Number.POSITIVE_INFINITY];
      this.texts = all.map((boundary) => Buffer.from(`le="${boundaryText(boundary)}"} `));
      this.longest = Math.max(...this.texts.map(({ length }) => length));
      this.boundaries = [...boundaries];
    }
    return this.texts;
  }
}

function isSame(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((boundary, index) => boundary === other[index]);
}

/** A boundary as Python writes a float; undefined is that of the last bucket. */
export function boundaryText(boundary: number | undefined): string {
  if (boundary === undefined || boundary === Number.POSITIVE_INFINITY) return '+Inf';
  return pythonFloat(boundary);
}

/**
 * Larger numbers have an exponent: Python's repr writes one from 1e16 on, but its client follows Go from a million on.
 */
const PLAIN_DIGITS_BELOW = 1e6;
const PLAIN_FRACTION_FROM = 1e-4;

/** A finite number as the Python client and Go write it: the shortest digits, always with a point or an exponent. */
function pythonFloat(value: number): string {
  const size = Math.abs(value);
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  if (size >= PLAIN_DIGITS_BELOW || size < PLAIN_FRACTION_FROM) {
    const [digits = '', exponent = ''] = value.toExponential().split('e');
    const sign = exponent.startsWith('-') ? '-' : '+';
    return `${digits}e${sign}${exponent.slice(1).padStart(2, '0')}`;
  }
  const text = String(value);
  return text.includes('.') ? text : `${text}.0`;
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}

function escapeHelp(text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
}
