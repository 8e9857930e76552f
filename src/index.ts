/** The public API. Its one effect at import is to notice that it was preloaded in place of `channel-exporter/register`. */
import { warnOfMissingRegister } from './processes/preload';
import { sharedState } from './shared-state';

export { type CodeValue, setBusinessCode, setMethodCode } from './business-code/set-codes';
export { ConfigError, type Problem, type ProblemCode } from './errors';
export { type MetricsHandler, metricsHandler } from './exporter/http/metrics-handler';
export { metricsText } from './exporter/http/metrics-text';
export { metricProducer } from './exporter/metric-producer';
export { consume } from './instrumentations/consumers/consume';
export { type MonitorDecorator, type MonitoredFunction, monitor } from './instrumentations/functions/monitor';
export { setRoute } from './instrumentations/inbound/set-route';
export { type ObservableModule, observe } from './instrumentations/observe';
export type {
  CallersOption,
  Exporter,
  PartnerDirectoryOption,
  PathsOption,
  SpanHooksOptions,
  StartOptions,
  ViewOption,
} from './options';
export { meter } from './own-metrics/meter';
export { channelInstrumentations, channelSpanHooks } from './spans';
export type { ChannelSpanHooks } from './spans/hooks';
export type { ChannelInstrumentations, ChannelInstrumentationsOptions } from './spans/instrumentations';
export { start } from './start';

warnOfMissingRegister(() => sharedState().running !== undefined);
