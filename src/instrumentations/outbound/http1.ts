/**
 * Calls that this process makes through node:http and node:https, and so through axios, got and whatever else stands
 * on them, to hosts of the partner directory. Any other call costs one look-up of its host.
 *
 * `request` and `get` are patched in place and hand on the caller's own arguments. It would be
 * @opentelemetry/instrumentation-http that calls the hooks below, but that one sends `headers` arrays as
 * "0: Host, 1: …", puts a traceparent in place of the one that an application which traces by hand has set, and is
 * unwrapped by the application's HttpInstrumentation (test/evidence/instrumentation-http.test.ts shows each).
 */
import http from 'node:http';
import https from 'node:https';
import { nowMs } from '../../runtime/clock';
import type { Instrumentation, SourceContext } from '../instrumentation';
import { publishExports } from '../patching/builtin-exports';
import { patchMethod } from '../patching/patch';
import { findDestination } from './destination';
import { HttpCall } from './http1-call';
import { PartnerCall } from './partner-call';

const NAME = 'http';
const PATCHED = { http: ['request', 'get'], https: ['request', 'get'] };
/** Scheme and authority; nothing behind them can change the port. */
const ORIGIN = /^https?:\/\/[^/?#\\\s]*\//i;

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

/** The call has been made; nothing has been sent. */
function begin(request: http.ClientRequest, args: readonly unknown[], startedMs: number, context: SourceContext): void {
  const destination = findDestination(context.partners, {
    method: request.method,
    protocol: request.protocol,
    hostname: request.host,
    path: request.path,
    port: () => portOf(request, args),
  });
  if (destination !== undefined) HttpCall.follow(request, new PartnerCall(context, NAME, destination, startedMs));
}

/** The port of a call, which the request object does not keep; undefined: the protocol's default. */
function portOf(request: http.ClientRequest, [input, extra]: readonly unknown[]): number | undefined {
  const url = typeof input === 'string' ? { port: portOfText(input) } : isUrl(input) ? input : undefined;
  const options = (url === undefined ? input : extra) as http.RequestOptions | null | undefined;
  const hasOptions = typeof options === 'object' && options !== null;
  const agent = (request as { agent?: { defaultPort?: number } }).agent;
  // as Node lays them over each other: only what the options have of their own, an undefined one too
  const given = hasOptions && Object.hasOwn(options, 'port') ? options.port : url?.port;
  const implied = hasOptions && Object.hasOwn(options, 'defaultPort') ? options.defaultPort : undefined;
  const port = given || implied || agent?.defaultPort;
  return port ? Number(port) : undefined;
}

/** Origin of the URL that was read last, up to its path, and its port: services call few hosts, each of them often. */
let lastOrigin: string | undefined;
let lastPort = '';

/** What `port` is of the URL of a text. */
function portOfText(text: string): string {
  if (lastOrigin === undefined || !text.startsWith(lastOrigin)) {
    lastPort = new URL(text).port;
    lastOrigin = ORIGIN.exec(text)?.[0];
  }
  return lastPort;
}

/** As Node tells a URL, of whatever realm or library, from options. */
function isUrl(argument: unknown): argument is URL {
  const { href, protocol, auth, path } = (argument ?? {}) as Record<string, unknown>;
  return Boolean(href && protocol) && auth === undefined && path === undefined;
}
