/** One scrape: collect, then write. Simultaneous scrapes share one collection. */
import type { TotalsReader } from './reader';
import { metricsText } from './text';

/** @returns the text of the scrape; rejects when it could not be collected whole */
export type Scrape = () => Promise<string>;

export function createScrape(reader: TotalsReader): Scrape {
  let underWay: Promise<string> | undefined;
  const collect = async () => {
    const { resourceMetrics, errors } = await reader.collect();
    // half a scrape would look like counters that went back
    if (errors.length > 0) throw errors[0];
    return metricsText(resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics));
  };
  return () => {
    underWay ??= collect().finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
}
