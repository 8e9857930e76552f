/** The public API. */
export { type CodeValue, setBusinessCode, setMethodCode } from './business-code/set-codes';
export { ConfigError, type Problem, type ProblemCode } from './errors';
export { type MetricsHandler, metricsHandler } from './exporter/metrics-handler';
export { type MonitorDecorator, type MonitoredFunction, monitor } from './instrumentations/monitor';
export type { ChannelSpanHooks } from './instrumentations/span-hooks';
export { consume } from './instrumentations/worker';
export { meter } from './own-metrics/meter';
export { type Exporter, type PartnerDirectoryOption, type StartOptions, start } from './start';
export { channelSpanHooks, type SpanHooksOptions } from './tracing';
