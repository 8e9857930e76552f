/**
 * The two SDK readers: one collects deltas of the application's meters, and the Prometheus exporter reads the totals of
 * the service. The exporter's own server stays off: cluster workers would share its port, so that each scrape hits
 * another one, and its sockets keep a finished process alive.
 *
 * Both are created with the application's first meter. Without one the SDK is not loaded at all: it would add 10 MB,
 * 50 ms to the start, and 3 % to what a request costs although none of it runs then (docs/performance.md).
 */
import type { MeterProvider as ApiMeterProvider } from '@opentelemetry/api';
import type { CollectionResult, MeterProvider, MetricProducer, MetricReader } from '@opentelemetry/sdk-metrics';
import type { View } from '../views';
import { AggregationTemporality } from '../views/sdk-constants';

/** The application's meters, and what they measured since the last collection. */
export interface ApplicationMeters {
  /** Provider of the OpenTelemetry SDK; created when it is read first. */
  readonly provider: ApiMeterProvider;
  /** Whether the provider has been created. */
  readonly isInUse: boolean;
  /** Collects deltas; nothing without a provider. */
  collect(): Promise<Pick<CollectionResult['resourceMetrics'], 'scopeMetrics'> & Pick<CollectionResult, 'errors'>>;
  shutdown(): Promise<void>;
}

/**
 * @param views of our own instruments
 * @param seriesLimit series that an instrument may have in one collection
 */
export function createApplicationMeters(views: readonly View[], seriesLimit: number): ApplicationMeters {
  let parts: { readonly provider: MeterProvider; readonly reader: MetricReader } | undefined;
  return {
    get provider() {
      parts ??= createProvider(views, seriesLimit);
      return parts.provider;
    },
    get isInUse() {
      return parts !== undefined;
    },
    async collect() {
      if (parts === undefined) return { scopeMetrics: [], errors: [] };
      const { resourceMetrics, errors } = await parts.reader.collect();
      return { scopeMetrics: resourceMetrics.scopeMetrics, errors };
    },
    async shutdown() {
      await parts?.provider.shutdown();
    },
  };
}

function createProvider(views: readonly View[], seriesLimit: number) {
  const sdk: typeof import('@opentelemetry/sdk-metrics') = require('@opentelemetry/sdk-metrics');
  const reader = new (class extends sdk.MetricReader {
    protected override async onForceFlush(): Promise<void> {}

    protected override async onShutdown(): Promise<void> {}
  })({
    aggregationTemporalitySelector: () => AggregationTemporality.DELTA,
    cardinalitySelector: () => seriesLimit,
  });
  return { provider: new sdk.MeterProvider({ readers: [reader], views: [...views] }), reader };
}

/** Reads the totals of a producer. */
export interface TotalsReader {
  collect(): Promise<CollectionResult>;
}

/** @param isSdkInUse whether the SDK is loaded anyway; only then the Prometheus exporter reads the producer */
export function createTotalsReader(producer: MetricProducer, isSdkInUse: () => boolean): TotalsReader {
  let exporter: MetricReader | undefined;
  return {
    collect() {
      if (!isSdkInUse()) return producer.collect();
      exporter ??= createExporter(producer);
      return exporter.collect();
    },
  };
}

function createExporter(producer: MetricProducer): MetricReader {
  const { PrometheusExporter }: typeof import('@opentelemetry/exporter-prometheus') =
    require('@opentelemetry/exporter-prometheus');
  const exporter = new PrometheusExporter({
    preventServerStart: true,
    withoutScopeInfo: true,
    withoutTargetInfo: true,
  });
  exporter.setMetricProducer(producer);
  return exporter;
}
