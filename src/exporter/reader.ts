/**
 * The two readers of the SDK's side: one that takes deltas from the MeterProvider for the hub, and the Prometheus
 * exporter, which reads the hub's totals. The exporter's own server stays off: it shares its port among cluster
 * workers, so that each scrape would hit another one, and its sockets keep a finished process alive.
 */
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import {
  AggregationTemporality,
  type CollectionResult,
  type MetricProducer,
  MetricReader,
} from '@opentelemetry/sdk-metrics';
import { SERIES_PER_COLLECTION } from '../views/limits';

/** Gives what was measured since it was last asked. */
export class DeltaReader extends MetricReader {
  constructor() {
    super({
      aggregationTemporalitySelector: () => AggregationTemporality.DELTA,
      cardinalitySelector: () => SERIES_PER_COLLECTION,
    });
  }

  protected override async onForceFlush(): Promise<void> {}

  protected override async onShutdown(): Promise<void> {}
}

/** Reads the totals of a producer. */
export interface TotalsReader {
  collect(): Promise<CollectionResult>;
}

export function createTotalsReader(producer: MetricProducer): TotalsReader {
  const exporter = new PrometheusExporter({
    preventServerStart: true,
    withoutScopeInfo: true,
    withoutTargetInfo: true,
  });
  exporter.setMetricProducer(producer);
  return exporter;
}
