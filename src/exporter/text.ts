/**
 * Writes the scrape: the Prometheus text format 0.0.4.
 *
 * Equal to the text of OpenTelemetry's PrometheusSerializer (a test holds them so) except for `le`, which is written
 * as Python, OpenMetrics and Prometheus 3 write it: `100.0`, and that a histogram without boundaries is a summary. To Prometheus 2, `le="100"` and `le="100.0"` are two
 * series, and a query over Python and Node services would count half.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
import type { Attributes, AttributeValue } from '@opentelemetry/api';
import type { DataPoint, Histogram, MetricData } from '@opentelemetry/sdk-metrics';
import { DataPointType } from '../views/sdk-constants';

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** @returns the text of all families, with a newline at the end */
export function metricsText(metrics: readonly MetricData[]): string {
  return metrics.map(familyText).join('');
}

function familyText(metric: MetricData): string {
  const { name, description } = metric.descriptor;
  const head = `# HELP ${name} ${escapeHelp(description)}\n# TYPE ${name} `;
  switch (metric.dataPointType) {
    case DataPointType.HISTOGRAM:
      // without boundaries there is one bucket, which is the count
      if (metric.dataPoints.every(({ value }) => value.buckets.boundaries.length === 0) && metric.dataPoints.length > 0)
        return `${head}summary\n${metric.dataPoints.map((point) => summaryText(name, point)).join('')}`;
      return `${head}histogram\n${metric.dataPoints.map((point) => histogramText(name, point)).join('')}`;
    case DataPointType.SUM:
      return `${head}${metric.isMonotonic ? 'counter' : 'gauge'}\n${metric.dataPoints.map((point) => valueText(name, point)).join('')}`;
    case DataPointType.GAUGE:
      return `${head}gauge\n${metric.dataPoints.map((point) => valueText(name, point)).join('')}`;
    default:
      throw new Error(`${name} is of a kind that Prometheus text has no form for`);
  }
}

function valueText(name: string, { attributes, value }: DataPoint<number>): string {
  const labels = labelsText(attributes);
  return `${name}${labels === '' ? '' : `{${labels}}`} ${numberText(value)}\n`;
}

function summaryText(name: string, { attributes, value }: DataPoint<Histogram>): string {
  const labels = labelsText(attributes);
  const plain = labels === '' ? '' : `{${labels}}`;
  const count = `${name}_count${plain} ${numberText(value.count)}\n`;
  return value.sum === undefined ? count : `${count}${name}_sum${plain} ${numberText(value.sum)}\n`;
}

function histogramText(name: string, point: DataPoint<Histogram>): string {
  const labels = labelsText(point.attributes);
  const before = labels === '' ? '{' : `{${labels},`;
  const { boundaries, counts } = point.value.buckets;
  let text = summaryText(name, point);
  let cumulative = 0;
  for (const [index, count] of counts.entries()) {
    cumulative += count;
    text += `${name}_bucket${before}le="${boundaryText(boundaries[index])}"} ${cumulative}\n`;
  }
  return text;
}

function labelsText(attributes: Attributes): string {
  return Object.entries(attributes)
    .map(([name, value]) => `${labelName(name)}="${escapeLabel(labelValue(value))}"`)
    .join(',');
}

/** The SDK's own overflow series is labelled `otel.metric.overflow`, and one such name spoils a whole scrape. */
function labelName(name: string): string {
  return /[^A-Za-z0-9_]|__/.test(name) ? name.replace(/[^A-Za-z0-9_]/g, '_').replace(/_{2,}/g, '_') : name;
}

function labelValue(value: AttributeValue | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? '');
}

/** A boundary as Python writes a float; undefined is the last bucket. */
export function boundaryText(boundary: number | undefined): string {
  if (boundary === undefined || boundary === Number.POSITIVE_INFINITY) return '+Inf';
  return pythonFloat(boundary);
}

/** Where the plain form ends: Python's own repr goes on to 1e16, but its client follows Go from a million on. */
const PLAIN_DIGITS_BELOW = 1e6;
const PLAIN_FRACTION_FROM = 1e-4;

/** A finite number as the Python client and Go have it: the shortest digits, always with a point or an exponent. */
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

function escapeLabel(text: string): string {
  return /[\\\n"]/.test(text) ? escapeHelp(text).replace(/"/g, '\\"') : text;
}
