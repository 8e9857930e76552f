/**
 * The Prometheus exporter of OpenTelemetry as the reader of the service's totals. Its own server stays off: cluster
 * workers would share its port, so that each scrape hits another one, and its sockets keep a finished process alive.
 */
import type { CollectionResult, MetricProducer } from '@opentelemetry/sdk-metrics';

/** Reads the totals of a producer. */
export interface TotalsReader {
  collect(): Promise<CollectionResult>;
}

/** The exporter is loaded with the first scrape: most processes of a service are never asked. */
export function createTotalsReader(producer: MetricProducer): TotalsReader {
  let exporter: TotalsReader | undefined;
  return {
    collect() {
      exporter ??= createExporter(producer);
      return exporter.collect();
    },
  };
}

function createExporter(producer: MetricProducer): TotalsReader {
  const { PrometheusExporter } = require('./prometheus') as typeof import('./prometheus');
  const exporter = new PrometheusExporter({
    preventServerStart: true,
    withoutScopeInfo: true,
    withoutTargetInfo: true,
  });
  exporter.setMetricProducer(producer);
  return exporter;
}
