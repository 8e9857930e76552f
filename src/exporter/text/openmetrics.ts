/**
 * Whether families can be told in OpenMetrics without changing their series. Where they cannot, the answer is in the
 * plain format, which every scraper takes.
 *
 * A counter's family is called without `_total` there, and a family may claim further names than it writes, so that
 * names meet that are apart in the plain format: the counter `orders_total` and a gauge `orders`.
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

/** @returns names that nothing else may have; undefined: there is no form for it */
function claims(metric: MetricData): string[] | undefined {
  const { name } = metric.descriptor;
  const withEndings = (family: string, endings: readonly string[]) => [family, ...endings.map((each) => family + each)];
  switch (metric.dataPointType) {
    case DataPointType.HISTOGRAM: {
      // a sum that may fall is not permitted beside buckets
      const lowest = metric.dataPoints[0]?.value.buckets.boundaries[0] ?? 0;
      return lowest < 0 ? undefined : withEndings(name, ['_bucket', '_sum', '_count', '_created']);
    }
    case DataPointType.SUM:
      if (!metric.isMonotonic) return [name];
      return COUNTER.test(name) ? withEndings(name.replace(COUNTER, ''), ['_total', '_created']) : undefined;
    default:
      return [name];
  }
}
