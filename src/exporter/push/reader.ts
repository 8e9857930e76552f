/** OpenTelemetry's periodic reader, in a file that is published as a bundle and loaded where metrics are pushed. */
export { PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
