/**
 * Calls that this process makes through node:http and node:https, and so through axios, got and whatever else stands
 * on them, to hosts of the partner directory. Any other call costs one look-up of its host.
 *
 * `request` and `get` are patched in place and hand on the caller's own arguments. It would be
 * @opentelemetry/instrumentation-http that calls the hooks below, but that one sends `headers` arrays as
 * "0: Host, 1: …", puts a traceparent in place of the one that an application which traces by hand has set, and is
 * unwrapped by the application's HttpInstrumentation (test/evidence/instrumentation-http.test.ts shows each).
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import http from 'node:http';
import https from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import { urlToHttpOptions } from 'node:url';
import { nowMs } from '../core/stopwatch';
import type { Instrumentation, SourceContext } from './instrumentation';
import { PartnerCall } from './partner-call';
import { partnerErrorOf } from './partner-error';
import { observeEmit, observePush, patchMethod } from './patch';

const NAME = 'http';
/** Published with the head of a response, before the application's listeners run. */
const RESPONSE = 'http.client.response.finish';

/** Scheme and authority of a target in absolute form. */
const ORIGIN = /^https?:\/\/[^/?#]*/i;

type Request = (...args: unknown[]) => http.ClientRequest;

const calls = new WeakMap<http.ClientRequest, HttpCall>();

export function createOutboundInstrumentation(): Instrumentation {
  let restore: (() => void)[] = [];
  return {
    name: NAME,
    enable(context) {
      subscribe(RESPONSE, onResponse);
      const observe = (original: Request, isInForce: () => boolean): Request =>
        observedRequest(original, isInForce, context);
      restore = [
        patchMethod(http, 'request', observe),
        patchMethod(http, 'get', observe),
        patchMethod(https, 'request', observe),
        patchMethod(https, 'get', observe),
      ];
      // `import { request } from 'node:http'` reads a binding that is brought up to date here
      syncBuiltinESMExports();
    },
    disable() {
      unsubscribe(RESPONSE, onResponse);
      for (const put of restore) put();
      syncBuiltinESMExports();
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

/** First: the call has been made; nothing has been sent. */
function begin(request: http.ClientRequest, args: readonly unknown[], startedMs: number, context: SourceContext): void {
  // a tunnel is no exchange: what goes through it is none of this process's HTTP, or is a call of its own
  if (request.method === 'CONNECT') return;
  const target = proxied(request);
  const hostname = target?.hostname ?? request.host;
  if (!context.partners.knowsHost(hostname)) return;
  const partner =
    target === undefined
      ? context.partners.find(request.protocol, hostname, portOf(request, args))
      : context.partners.find(target.protocol, hostname, target.port === '' ? undefined : Number(target.port));
  if (partner === undefined) return;
  const path = target === undefined ? request.path : request.path.replace(ORIGIN, '');
  const call = new HttpCall(new PartnerCall(context, NAME, partner, path, startedMs), request);
  calls.set(request, call);
  // no listeners: the application counts its own, is warned of too many, and may remove all there are
  observeEmit(request, (event, value) => {
    if (event === 'error') call.failed(value);
    else if (event === 'timeout') call.timedOut();
    else if (event === 'close') call.closed();
  });
}

/** Second: the head of the response has come. */
function onResponse(message: unknown): void {
  const { request, response } = message as { request: http.ClientRequest; response: http.IncomingMessage };
  calls.get(request)?.responded(response);
}

/** One exchange with a partner, as its request object shows it. */
class HttpCall {
  private response: http.IncomingMessage | undefined;
  private hasTimedOut = false;

  constructor(
    private readonly call: PartnerCall,
    private readonly request: http.ClientRequest,
  ) {}

  responded(response: http.IncomingMessage): void {
    if (this.call.isFinished) return;
    this.response = response;
    this.call.bodyBegins(response.headers['content-encoding']);
    observePush(response, (chunk, encoding) => this.chunk(chunk, encoding));
  }

  /** Third: the body comes in pieces, whether or not the application reads it. */
  private chunk(chunk: string | Uint8Array | null, encoding?: BufferEncoding): void {
    if (chunk !== null) this.call.chunk(chunk, encoding);
    else if (this.response?.complete) this.finish(true);
  }

  timedOut(): void {
    this.hasTimedOut = true;
  }

  /** The exchange failed; its end is the request's `close`, which follows. */
  failed(error: unknown): void {
    this.call.failed(partnerErrorOf(error, { hasTimedOut: this.hasTimedOut, isDestroyed: this.request.destroyed }));
  }

  /** Last: the request is over, with a response that was read, that was not, or with none. */
  closed(): void {
    this.finish(false);
  }

  private finish(isWhole: boolean): void {
    if (this.call.isFinished) return;
    // an upgraded exchange has its response on the request alone
    const response = this.response ?? (this.request as { res?: http.IncomingMessage | null }).res;
    this.call.responded(response?.statusCode);
    this.failed(undefined);
    this.call.finish(isWhole);
  }
}

/** The target of a request through a forward proxy, which is sent as a whole URL in place of the path. */
function proxied(request: http.ClientRequest): URL | undefined {
  const { path } = request;
  return ORIGIN.test(path) && URL.canParse(path) ? new URL(path) : undefined;
}

/** The port of a call, which the request object does not keep; undefined: the protocol's default. */
function portOf(request: http.ClientRequest, args: readonly unknown[]): number | undefined {
  let options: http.RequestOptions = {};
  for (const argument of args.slice(0, 2)) {
    if (typeof argument === 'string') options = { ...options, ...urlToHttpOptions(new URL(argument)) };
    else if (isUrl(argument)) options = { ...options, ...urlToHttpOptions(argument) };
    else if (typeof argument === 'object' && argument !== null) options = { ...options, ...argument };
  }
  const agent = (request as { agent?: { defaultPort?: number } }).agent;
  const port = options.port || options.defaultPort || agent?.defaultPort;
  return port ? Number(port) : undefined;
}

/** As Node tells a URL, of whatever realm or library, from options. */
function isUrl(argument: unknown): argument is URL {
  const { href, protocol, auth, path } = (argument ?? {}) as Record<string, unknown>;
  return Boolean(href && protocol) && auth === undefined && path === undefined;
}
