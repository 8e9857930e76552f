/**
 * The service's own tracing, with the instrumentations of channel-exporter: the lines that matter are the two with
 * `channelInstrumentations`. The exporter of spans prints one line a span; yours sends them to a collector.
 */
const { context, SpanKind, trace } = require('@opentelemetry/api');
const { AsyncLocalStorageContextManager } = require('@opentelemetry/context-async-hooks');
const { registerInstrumentations } = require('@opentelemetry/instrumentation');
const { SimpleSpanProcessor, TracerProvider } = require('@opentelemetry/sdk-trace');
const { channelInstrumentations } = require('channel-exporter');

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
  instrumentations: channelInstrumentations({ partners: process.env.PARTNERS, partnersPreset: false }),
});
