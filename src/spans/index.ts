/**
 * `channelInstrumentations()` and `channelSpanHooks()`: their parts are loaded when an application that traces calls one
 * of them, and not with the rest of the public API.
 */
import type { SpanHooksOptions } from '../options';
import type { ChannelSpanHooks } from './hooks';
import type { ChannelInstrumentations, ChannelInstrumentationsOptions } from './instrumentations';

/**
 * Gives HttpInstrumentation and ExpressInstrumentation of the packages that this one depends on, with our hooks inside:
 * `registerInstrumentations({ instrumentations: channelInstrumentations() })`. They take the place of the application's
 * own two; call it once.
 *
 * Faulty settings are logged on stderr, and no call is a partner's then.
 * @see docs/tracing.md
 */
export function channelInstrumentations(options: ChannelInstrumentationsOptions = {}): ChannelInstrumentations {
  const { createInstrumentations } = require('./instrumentations') as typeof import('./instrumentations');
  return createInstrumentations(options);
}

/**
 * Gives configurations for the application's own HttpInstrumentation and ExpressInstrumentation, by which its spans
 * are stamped with partner, action code, business code, caller, interface number and route.
 *
 * While the exporter runs in this process, its partner directory and body limit are the ones in force, and the options
 * wait. It does not throw: faulty settings are logged on stderr, and no call is a partner's then.
 * @see docs/tracing.md for the attributes, and for combining the hooks with hooks of one's own
 */
export function channelSpanHooks(options: SpanHooksOptions = {}): ChannelSpanHooks {
  const { openSpanHooks } = require('./open') as typeof import('./open');
  return openSpanHooks(options);
}
