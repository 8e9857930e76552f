/**
 * The Prometheus exporter of OpenTelemetry as the reader of the service's totals. Its own server stays off: cluster
 * workers would share its port, so that each scrape hits another one, and its sockets keep a finished process alive.
 */
import type { CollectionResult, MetricProducer } from '@opentelemetry/sdk-metrics';

/** Reads the totals of a producer. */
export interface TotalsReader {
  collect(): Promise<CollectionResult>;
  /** Tells series that have come from those that will come. */
  mark(): number;
  /** Settles when it is known whether these totals go on where another hub has ended, and what scrapers know of them. */
  begun?(): Promise<unknown>;
}

/** The exporter is loaded with the first scrape: most processes of a service are never asked. */
export function createTotalsReader(totals: MetricProducer & Pick<TotalsReader, 'mark' | 'begun'>): TotalsReader {
  let exporter: Pick<TotalsReader, 'collect'> | undefined;
  return {
    mark: () => totals.mark(),
    begun: async () => totals.begun?.(),
    collect() {
      exporter ??= createExporter(totals);
      return exporter.collect();
    },
  };
}

function createExporter(producer: MetricProducer): Pick<TotalsReader, 'collect'> {
  const { PrometheusExporter } = require('./prometheus') as typeof import('./prometheus');
  const exporter = new PrometheusExporter({
    preventServerStart: true,
    withoutScopeInfo: true,
    withoutTargetInfo: true,
  });
  exporter.setMetricProducer(producer);
  return exporter;
}
