/**
 * The composition root for applications that trace: settings, then the partner directory, then the hooks.
 */
import { resolveSpanConfig } from './config/resolve';
import { DEFAULT_BODY_LIMIT_BYTES } from './config/settings';
import { sharedState } from './core/overrides';
import { errorText, logLine } from './diagnostics/log';
import { ConfigError } from './errors';
import { type ChannelSpanHooks, createSpanHooks, type SpanContext } from './instrumentations/span-hooks';
import { PartnerDirectory } from './partners/directory';
import { openPartnerDirectory } from './partners/open';
import type { StartOptions } from './start';

/** Options of {@link channelSpanHooks}, with the meaning, variables and defaults that they have in `start()`. */
export type SpanHooksOptions = Pick<StartOptions, 'partners' | 'partnersPreset' | 'bodyLimit'>;

/**
 * Gives configurations for the application's own HttpInstrumentation and ExpressInstrumentation, by which its spans
 * are stamped with partner, action code, business code, caller, interface number and route.
 *
 * While the exporter runs in this process, its partner directory and body limit are the ones in force, and the options
 * wait. It does not throw: faulty settings are said on stderr, and no call is a partner's then.
 * @see docs/tracing.md for the attributes, and for combining the hooks with hooks of one's own
 */
export function channelSpanHooks(options: SpanHooksOptions = {}): ChannelSpanHooks {
  let own: SpanContext | undefined;
  const ownContext = () => {
    own ??= openOwn(options);
    return own;
  };
  const contextOf = () => (sharedState().reading as SpanContext | undefined) ?? ownContext();
  // reads the partner file now rather than in the application's first request
  contextOf();
  return createSpanHooks(contextOf);
}

function openOwn(options: SpanHooksOptions): SpanContext {
  try {
    const config = resolveSpanConfig({ ...options }, process.env);
    const { partners } = openPartnerDirectory(config);
    return { partners, bodyLimit: config.bodyLimit };
  } catch (error) {
    const text = error instanceof ConfigError ? error.message : errorText(error);
    logLine('error', `spans are not stamped with partners:\n${text}`);
    return { partners: new PartnerDirectory([]), bodyLimit: DEFAULT_BODY_LIMIT_BYTES };
  }
}
