/**
 * One scrape: collect, then write. Simultaneous scrapes share one collection.
 *
 * Ours is whole or the scrape fails. What other libraries add is whole or missing, and says so in a comment: the
 * application's collectors must not end the monitoring of the service.
 */
import type { MetricData } from '@opentelemetry/sdk-metrics';
import type { TotalsReader } from './reader';
import { metricsText } from './text';

/** @returns the text of the scrape; rejects when it could not be collected whole */
export type Scrape = () => Promise<string>;

/** Families of another library. */
export interface ForeignFamilies {
  /** Reads them; does not reject. */
  collect(): Promise<ForeignText>;
}

/**
 * Writes what was read.
 * @param own families that are on the scrape already
 */
export type ForeignText = (own: readonly MetricData[]) => string;

export function createScrape(reader: TotalsReader, foreign?: ForeignFamilies): Scrape {
  let underWay: Promise<string> | undefined;
  const collect = async () => {
    // first, so that its failure is counted in the same scrape
    const foreignText = await foreign?.collect();
    const { resourceMetrics, errors } = await reader.collect();
    // half a scrape would look like counters that went back
    if (errors.length > 0) throw errors[0];
    const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
    return metricsText(metrics) + (foreignText?.(metrics) ?? '');
  };
  return () => {
    underWay ??= collect().finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
}
