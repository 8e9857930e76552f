/** What OpenTelemetry's rows have in common; the port is OTEL_EXPORTER_PROMETHEUS_PORT. */
const { metrics } = require('@opentelemetry/api');
const { PrometheusExporter } = require('@opentelemetry/exporter-prometheus');
const { registerInstrumentations } = require('@opentelemetry/instrumentation');
const { MeterProvider } = require('@opentelemetry/sdk-metrics');

exports.startMetrics = (instrumentations) => {
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [new PrometheusExporter()] }));
  registerInstrumentations({ instrumentations });
};
