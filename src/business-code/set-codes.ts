/** Codes set by the application, which win over those read from headers and bodies. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse, ServerHttp2Stream } from 'node:http2';
import { sharedState } from '../shared-state';
import { cleanCode } from './clean';

/** A code: text, or a number or boolean that is taken as its text. */
export type CodeValue = string | number | boolean;

/**
 * Sets the business code of a response, for the label `code` and for spans, in place of the one in its body.
 *
 * Control characters and lone surrogates become U+FFFD; over 64 characters the value is cut. Call it before the
 * response has been sent; the last call wins. Without a running exporter and without
 * `channelSpanHooks()` it does nothing. It does not throw.
 * @param response Node's own response object, or one that inherits from it, as Express's does; over HTTP/2 without
 *   response objects, the stream
 */
export function setBusinessCode(
  response: ServerResponse | Http2ServerResponse | ServerHttp2Stream,
  value: CodeValue,
): void {
  keep(sharedState().businessCodes, response, value);
}

/**
 * Sets the interface number of a request, for the label `method_code`, in place of the one in its headers or data.
 *
 * The same cleaning and limits as {@link setBusinessCode}. An empty text sets nothing: headers and data are read then.
 * @param request Node's own request object, or one that inherits from it, as Express's does; over HTTP/2 without
 *   request objects, the stream
 */
export function setMethodCode(
  request: IncomingMessage | Http2ServerRequest | ServerHttp2Stream,
  value: CodeValue,
): void {
  keep(sharedState().methodCodes, request, value);
}

function keep(codes: WeakMap<object, string>, of: unknown, value: unknown): void {
  if (typeof of !== 'object' || of === null) return;
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return;
  codes.set(of, cleanCode(String(value)));
}
