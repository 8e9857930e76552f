/**
 * The service's own tracing, with our hooks in its two instrumentations: the lines that matter are the three with
 * `hooks`. The exporter of spans prints one line a span; yours sends them to a collector.
 */
const { context, SpanKind, trace } = require('@opentelemetry/api');
const { AsyncLocalStorageContextManager } = require('@opentelemetry/context-async-hooks');
const { registerInstrumentations } = require('@opentelemetry/instrumentation');
const { ExpressInstrumentation } = require('@opentelemetry/instrumentation-express');
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');
const { SimpleSpanProcessor, TracerProvider } = require('@opentelemetry/sdk-trace');
const { channelSpanHooks } = require('channel-exporter');

const hooks = channelSpanHooks({ partners: process.env.PARTNERS, partnersPreset: false });

const exporter = {
  export(spans, done) {
    for (const { kind, name, attributes } of spans) {
      const shown = Object.entries(attributes).filter(([key]) => key === 'http.route' || key.startsWith('channel.'));
      const text = shown.map(([key, value]) => `${key}=${value}`).sort();
      if (kind !== SpanKind.INTERNAL) console.log([SpanKind[kind], name, ...text].join('  '));
    }
    done({ code: 0 });
  },
  async forceFlush() {},
  async shutdown() {},
};

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }));
registerInstrumentations({
  instrumentations: [new HttpInstrumentation({ ...hooks.http }), new ExpressInstrumentation({ ...hooks.express })],
});
