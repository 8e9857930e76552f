/**
 * What a plain run uses of OpenTelemetry, in one file: it is published as a bundle, because a hundred small files take
 * three times as long to load (docs/performance.md). Everything else imports types alone.
 */
export { ROOT_CONTEXT } from '@opentelemetry/api';
export { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
export { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
