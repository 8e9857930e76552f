/**
 * OpenTelemetry's stock set as its documentation prescribes it: tracer provider and context manager, without which
 * http.route is on no metric, and the instrumentations as they come. Spans go nowhere.
 */
const { ExpressInstrumentation } = require('@opentelemetry/instrumentation-express');
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');
const { UndiciInstrumentation } = require('@opentelemetry/instrumentation-undici');
const { NodeTracerProvider } = require('@opentelemetry/sdk-trace-node');
const { startMetrics } = require('./otel');

new NodeTracerProvider().register();
startMetrics([new HttpInstrumentation(), new ExpressInstrumentation(), new UndiciInstrumentation()]);
