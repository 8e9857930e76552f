/**
 * The composition root for applications that trace: settings, then the partner directory, then the hooks.
 */
import { codeDepth } from '../business-code/code-depth';
import { openCallers } from '../callers/open';
import { DEFAULT_BODY_LIMIT_BYTES } from '../config/defaults';
import { resolveSpanConfig } from '../config/resolve';
import { errorText, logLine } from '../diagnostics/log';
import { ConfigError } from '../errors';
import type { SpanHooksOptions } from '../options';
import { PartnerDirectory } from '../partners/directory';
import { openPartnerDirectory } from '../partners/open';
import { sharedState } from '../shared-state';
import { type ChannelSpanHooks, createSpanHooks, type SpanContext } from './hooks';

/** @see channelSpanHooks */
export function openSpanHooks(options: SpanHooksOptions): ChannelSpanHooks {
  let own: SpanContext | undefined;
  const ownContext = () => {
    own ??= openOwn(options);
    return own;
  };
  const contextOf = () => sharedState().running?.reading ?? ownContext();
  // reads the partner file now rather than in the application's first request
  contextOf();
  return createSpanHooks(contextOf);
}

function openOwn(options: SpanHooksOptions): SpanContext {
  try {
    const config = resolveSpanConfig({ ...options }, process.env);
    const { partners } = openPartnerDirectory(config);
    const { callers } = openCallers(config);
    const { bodyLimit, methodCodeFrom, codeFrom } = config;
    return { partners, callers, bodyLimit, methodCodeFrom, codeFrom, codeDepth: codeDepth(config.codeDepth) };
  } catch (error) {
    const text = error instanceof ConfigError ? error.message : errorText(error);
    logLine('error', `spans are not stamped with partners:\n${text}`);
    return { partners: new PartnerDirectory([]), bodyLimit: DEFAULT_BODY_LIMIT_BYTES };
  }
}
