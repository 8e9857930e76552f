/**
 * The service's own OpenTelemetry SDK for metrics: the line that matters is the one with `metricProducers`. With NodeSDK
 * it is the same: `new NodeSDK({ metricReaders: [reader] })`.
 */
const { OTLPMetricExporter } = require('@opentelemetry/exporter-metrics-otlp-http');
const { resourceFromAttributes } = require('@opentelemetry/resources');
const { MeterProvider, PeriodicExportingMetricReader } = require('@opentelemetry/sdk-metrics');
const { metricProducer } = require('channel-exporter');

const reader = new PeriodicExportingMetricReader({
  exporter: new OTLPMetricExporter(), // OTEL_EXPORTER_OTLP_ENDPOINT says where to
  metricProducers: [metricProducer()],
});
const provider = new MeterProvider({
  resource: resourceFromAttributes({ 'service.name': 'orders' }),
  readers: [reader],
});
provider.getMeter('orders').createCounter('orders.starts').add(1);

process.once('SIGTERM', async () => {
  await provider.shutdown(); // exports what has not been exported yet
  process.exit();
});
