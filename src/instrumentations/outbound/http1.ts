/**
 * Exchanges with hosts of the partner directory through node:http and node:https, and so through axios, got and other
 * clients built on them. A request to any other host costs one look-up.
 *
 * `request` and `get` are patched in place and pass on the caller's own arguments. The hooks of
 * @opentelemetry/instrumentation-http would do, but it sends `headers` arrays as "0: Host, 1: …",
 * replaces the traceparent of an application that traces by hand, and is unwrapped by the application's own
 * HttpInstrumentation (test/evidence/instrumentation-http.test.ts shows each).
 */
import http from 'node:http';
import https from 'node:https';
import { nowMs } from '../../runtime/clock';
import type { Instrumentation, SourceContext } from '../instrumentation';
import { publishExports } from '../patching/builtin-exports';
import { patchMethod } from '../patching/patch';
import { findDestination, parseOrigin } from './destination';
import { Http1Exchange } from './http1-exchange';
import { PartnerExchange } from './partner-exchange';

const NAME = 'http';
const PATCHED = { http: ['request', 'get'], https: ['request', 'get'] };

type Request = (...args: unknown[]) => http.ClientRequest;

export function createOutboundInstrumentation(): Instrumentation {
  let restore: (() => void)[] = [];
  return {
    name: NAME,
    enable(context) {
      const observe = (original: Request, isInForce: () => boolean): Request =>
        observedRequest(original, isInForce, context);
      restore = [
        patchMethod(http, 'request', observe),
        patchMethod(http, 'get', observe),
        patchMethod(https, 'request', observe),
        patchMethod(https, 'get', observe),
      ];
      publishExports(PATCHED);
    },
    disable() {
      for (const put of restore) put();
      publishExports(PATCHED);
    },
  };
}

function observedRequest(original: Request, isInForce: () => boolean, context: SourceContext): Request {
  return function (this: unknown, ...args) {
    if (!isInForce()) return original.apply(this, args);
    const startedMs = nowMs();
    const request = original.apply(this, args);
    try {
      begin(request, args, startedMs, context);
    } catch (error) {
      context.recorder.failed(NAME, error, 'partner');
    }
    return request;
  };
}

/** The request has been created; nothing has been sent. */
function begin(request: http.ClientRequest, args: readonly unknown[], startedMs: number, context: SourceContext): void {
  const destination = findDestination(context.partners, {
    method: request.method,
    protocol: request.protocol,
    hostname: request.host,
    path: request.path,
    port: () => portOf(request, args),
  });
  if (destination !== undefined)
    Http1Exchange.follow(request, new PartnerExchange(context, NAME, destination, startedMs));
}

/** The port of a request, which its object does not keep; undefined: the protocol's default. */
function portOf(request: http.ClientRequest, [input, extra]: readonly unknown[]): number | undefined {
  const url = typeof input === 'string' ? parseOrigin(input) : isUrl(input) ? input : undefined;
  const options = (url === undefined ? input : extra) as http.RequestOptions | null | undefined;
  const hasOptions = typeof options === 'object' && options !== null;
  const agent = (request as { agent?: { defaultPort?: number } }).agent;
  // as Node merges them: own properties of the options win over the URL, an undefined one too
  const given = hasOptions && Object.hasOwn(options, 'port') ? options.port : url?.port;
  const implied = hasOptions && Object.hasOwn(options, 'defaultPort') ? options.defaultPort : undefined;
  const port = given || implied || agent?.defaultPort;
  return port ? Number(port) : undefined;
}

/** Node's own rule for telling a URL, of any realm or library, from options. */
function isUrl(argument: unknown): argument is URL {
  const { href, protocol, auth, path } = (argument ?? {}) as Record<string, unknown>;
  return Boolean(href && protocol) && auth === undefined && path === undefined;
}
