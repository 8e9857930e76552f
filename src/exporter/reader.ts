/**
 * The two readers of the SDK's side: one that takes deltas from the MeterProvider for the hub, and the Prometheus
 * exporter, which reads the hub's totals. The exporter's own server stays off: it shares its port among cluster
 * workers, so that each scrape would hit another one, and its sockets keep a finished process alive.
 */
import type { HrTime } from '@opentelemetry/api';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import {
  AggregationTemporality,
  type CollectionResult,
  type MetricData,
  type MetricProducer,
  MetricReader,
  type ResourceMetrics,
  type ScopeMetrics,
} from '@opentelemetry/sdk-metrics';
import { SERIES_PER_COLLECTION } from '../views/limits';

/** The part of the SDK's MetricCollector behind its collect(). */
interface CollectorInternals {
  readonly _sharedState?: {
    readonly resource: ResourceMetrics['resource'];
    readonly meterSharedStates: ReadonlyMap<
      string,
      {
        readonly _instrumentationScope: ScopeMetrics['scope'];
        readonly metricStorageRegistry: {
          getStorages(collector: unknown): { collect(collector: unknown, time: HrTime): MetricData | undefined }[];
        };
      }
    >;
  };
}

/** Gives what was measured since it was last asked. */
export class DeltaReader extends MetricReader {
  private collector: CollectorInternals | undefined;

  constructor() {
    super({
      aggregationTemporalitySelector: () => AggregationTemporality.DELTA,
      cardinalitySelector: () => SERIES_PER_COLLECTION,
    });
  }

  override setMetricProducer(producer: MetricProducer): void {
    super.setMetricProducer(producer);
    this.collector = producer as CollectorInternals;
  }

  /**
   * The same without waiting, for a process that ends: the SDK's collect() is asynchronous because of observable
   * instruments, of which we have none, and an `exit` listener cannot wait.
   * @returns undefined when the SDK is not built as expected (a test holds the version that we depend on)
   */
  collectNow(): ResourceMetrics | undefined {
    const { collector } = this;
    const shared = collector?._sharedState;
    if (shared === undefined) return undefined;
    const now = Date.now();
    const time: HrTime = [Math.floor(now / 1000), (now % 1000) * 1_000_000];
    const scopeMetrics: ScopeMetrics[] = Array.from(shared.meterSharedStates.values(), (meter) => ({
      scope: meter._instrumentationScope,
      metrics: meter.metricStorageRegistry
        .getStorages(collector)
        .flatMap((storage) => storage.collect(collector, time) ?? []),
    }));
    return { resource: shared.resource, scopeMetrics };
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
