/** OpenTelemetry for metrics alone: its instrumentations for HTTP without a tracer, scraped by its own exporter. */
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');
const { UndiciInstrumentation } = require('@opentelemetry/instrumentation-undici');
const { startMetrics } = require('./otel');

startMetrics([new HttpInstrumentation(), new UndiciInstrumentation()]);
