/**
 * The instrumentations of OpenTelemetry with our hooks inside. They are created for an application that asks for them and
 * for no other: one that exists would keep Node's modules from instrumentations of the application that come later.
 */
import type { Attributes } from '@opentelemetry/api';
import type { ExpressInstrumentation, ExpressInstrumentationConfig } from '@opentelemetry/instrumentation-express';
import type { HttpInstrumentation, HttpInstrumentationConfig } from '@opentelemetry/instrumentation-http';
import type { SpanHooksOptions } from '../options';
import { openSpanHooks } from './open';

/** Options of `channelInstrumentations()`. */
export interface ChannelInstrumentationsOptions extends SpanHooksOptions {
  /** Configuration of HttpInstrumentation. Its hooks run after ours, on the same spans. */
  http?: HttpInstrumentationConfig;
  /** Configuration of ExpressInstrumentation. Its hooks run after ours, on the same spans. */
  express?: ExpressInstrumentationConfig;
}

/** What `channelInstrumentations()` gives; any `registerInstrumentations()` and NodeSDK takes it. */
export type ChannelInstrumentations = [HttpInstrumentation, ExpressInstrumentation];

/** @see channelInstrumentations */
export function createInstrumentations({
  http = {},
  express = {},
  ...options
}: ChannelInstrumentationsOptions): ChannelInstrumentations {
  const hooks = openSpanHooks(options);
  const httpConfig: HttpInstrumentationConfig = {
    ...http,
    startOutgoingSpanHook: withAttributes(hooks.http.startOutgoingSpanHook, http.startOutgoingSpanHook),
    startIncomingSpanHook: withAttributes(hooks.http.startIncomingSpanHook, http.startIncomingSpanHook),
    responseHook: inTurn(hooks.http.responseHook, http.responseHook),
    applyCustomAttributesOnSpan: inTurn(hooks.http.applyCustomAttributesOnSpan, http.applyCustomAttributesOnSpan),
  };
  const expressConfig = { ...express, requestHook: inTurn(hooks.express.requestHook, express.requestHook) };
  // both are loaded before one exists: what is required from then on is no longer seen by instrumentations to come
  const { HttpInstrumentation } =
    require('@opentelemetry/instrumentation-http') as typeof import('@opentelemetry/instrumentation-http');
  const { ExpressInstrumentation } =
    require('@opentelemetry/instrumentation-express') as typeof import('@opentelemetry/instrumentation-express');
  return [new HttpInstrumentation(httpConfig), new ExpressInstrumentation(expressConfig)];
}

/** An error of theirs is the instrumentation's to handle; ours has run by then. */
function inTurn<Args extends unknown[]>(
  ours: (...args: Args) => void,
  theirs: ((...args: Args) => void) | undefined,
): (...args: Args) => void {
  if (theirs === undefined) return ours;
  return (...args) => {
    ours(...args);
    theirs(...args);
  };
}

/** Attributes of both, theirs above ours; where theirs fail, ours stay. */
function withAttributes<Args extends unknown[]>(
  ours: (...args: Args) => Attributes,
  theirs: ((...args: Args) => Attributes) | undefined,
): (...args: Args) => Attributes {
  if (theirs === undefined) return ours;
  return (...args) => {
    const attributes = ours(...args);
    try {
      return { ...attributes, ...theirs(...args) };
    } catch {
      // as the instrumentation itself does it
      return attributes;
    }
  };
}
