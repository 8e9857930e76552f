/** `metricProducer()`: the families of the scrape for a reader of an application's own OpenTelemetry SDK. */
import type { MetricProducer } from '@opentelemetry/sdk-metrics';
import { sharedState } from '../shared-state';
import { nothing, PRODUCE_LIMIT_MS } from './detached';

/**
 * Gives the families of the scrape to any MetricReader, beside what its own provider measures:
 * `new PeriodicExportingMetricReader({ exporter, metricProducers: [metricProducer()] })`.
 *
 * In a service of several processes it produces in the hub alone, so that each measurement is exported once. While no
 * exporter runs it produces nothing; after a later `start()`, what the new one measures.
 * @returns a producer of cumulative metrics that neither throws nor rejects, for SDK 2.x and 3.x
 * @see docs/otlp.md
 */
export function metricProducer(): MetricProducer {
  const shared = sharedState();
  return {
    async collect() {
      const producer = shared.running?.services.producer;
      if (producer === undefined) return nothing();
      // what a program sends last of all is waited for by nothing else that keeps it
      const alive = setTimeout(() => undefined, PRODUCE_LIMIT_MS);
      try {
        return await producer.collect();
      } finally {
        clearTimeout(alive);
      }
    },
  };
}
