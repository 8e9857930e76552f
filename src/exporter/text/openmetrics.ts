/**
 * Decides whether families can be written in OpenMetrics without changing their series. If not, the answer is in the
 * plain format, which every scraper accepts.
 *
 * In OpenMetrics the name of a counter's family has no `_total`, and a family reserves more names than it writes. So
 * names clash that differ in the plain format, such as the counter `orders_total` and a gauge `orders`.
 * @see https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md, sections "Suffixes" and
 *   "Histogram"
 */
import type { MetricData } from '@opentelemetry/sdk-metrics';
import { DataPointType } from '../../views/sdk-constants';

const COUNTER = /_total$/;

export function isOpenMetrics(metrics: readonly MetricData[]): boolean {
  const claimed = new Set<string>();
  return metrics.every((metric) => {
    const names = claims(metric);
    if (names === undefined || names.some((name) => claimed.has(name))) return false;
    for (const name of names) claimed.add(name);
    return true;
  });
}

/** @returns the names that a family reserves; undefined when OpenMetrics cannot express it */
function claims(metric: MetricData): string[] | undefined {
  const { name } = metric.descriptor;
  const withSuffixes = (family: string, suffixes: readonly string[]) => [
    family,
    ...suffixes.map((each) => family + each),
  ];
  switch (metric.dataPointType) {
    case DataPointType.HISTOGRAM: {
      // OpenMetrics forbids a sum beside buckets with negative boundaries
      const lowest = metric.dataPoints[0]?.value.buckets.boundaries[0] ?? 0;
      return lowest < 0 ? undefined : withSuffixes(name, ['_bucket', '_sum', '_count', '_created']);
    }
    case DataPointType.SUM:
      if (!metric.isMonotonic) return [name];
      return COUNTER.test(name) ? withSuffixes(name.replace(COUNTER, ''), ['_total', '_created']) : undefined;
    default:
      return [name];
  }
}
