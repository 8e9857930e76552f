/**
 * OpenTelemetry's Prometheus exporter, in a file that is published as a bundle and loaded with the first scrape
 * (docs/performance.md).
 */
export { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
