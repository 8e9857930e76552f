/**
 * Requests that this process answers through servers of node:http2, by their streams or by the request and response
 * of the compatibility API. What such a server answers over HTTP/1 comes by http-inbound.ts.
 *
 * A server emits `stream` for every request anyway; a listener in front of the application's own takes the measure.
 * The response's body is seen by `write` and `end` of the streams' prototype, which is reached through the first of
 * them; a file that Node sends by itself does not pass there.
 */
import type { EventEmitter } from 'node:events';
import http2 from 'node:http2';
import type { Instrumentation } from '../instrumentation';
import { publishExports } from '../patching/builtin-exports';
import { observePush, patchMethod } from '../patching/patch';
import type { InboundMessages } from './codes';
import { InboundExchange, InboundSource, inboundPath, STATUS_CLIENT_LEFT } from './exchange';

const NAME = 'http2';
const PATCHED = { http2: ['createServer', 'createSecureServer'] };
const { HTTP2_HEADER_METHOD, HTTP2_HEADER_PATH, HTTP2_METHOD_CONNECT, HTTP2_METHOD_HEAD } = http2.constants;
/** The events by which the compatibility API hands an exchange over. */
const COMPATIBLE = ['request', 'checkContinue'] as const;

type Create = (...args: unknown[]) => EventEmitter;
type OnStream = (
  stream: http2.ServerHttp2Stream,
  headers: http2.IncomingHttpHeaders,
  flags: number,
  rawHeaders: readonly string[],
) => void;

const exchanges = new WeakMap<http2.ServerHttp2Stream, StreamExchange>();
/** Servers and events on which the compatibility API is listened to. */
const linked = new WeakMap<EventEmitter, Set<string>>();

export function createHttp2InboundInstrumentation(): Instrumentation {
  let restore: (() => void)[] = [];
  return {
    name: NAME,
    enable(context) {
      const source = new InboundSource(NAME, context);
      let isPrototypePatched = false;
      const patchPrototype = (stream: http2.ServerHttp2Stream) => {
        if (isPrototypePatched) return;
        isPrototypePatched = true;
        const prototype = Object.getPrototypeOf(stream) as http2.ServerHttp2Stream;
        restore.push(patchMethod(prototype, 'write', observeBody), patchMethod(prototype, 'end', observeBody));
      };
      const observe = (original: Create, isInForce: () => boolean): Create =>
        function (this: unknown, ...args) {
          const server = original.apply(this, args);
          if (!isInForce()) return server;
          const onStream: OnStream = (stream, headers, _flags, rawHeaders) => {
            if (!isInForce()) return;
            try {
              patchPrototype(stream);
              begin(server, stream, headers, rawHeaders, source);
            } catch (error) {
              context.recorder.failed(NAME, error, 'inner');
            }
          };
          server.prependListener('stream', onStream);
          return server;
        };
      restore = [patchMethod(http2, 'createServer', observe), patchMethod(http2, 'createSecureServer', observe)];
      publishExports(PATCHED);
    },
    disable() {
      for (const put of restore) put();
      publishExports(PATCHED);
    },
  };
}

/** First: the head of a request has been read, and its handler is about to run. */
function begin(
  server: EventEmitter,
  stream: http2.ServerHttp2Stream,
  headers: http2.IncomingHttpHeaders,
  rawHeaders: readonly string[],
  source: InboundSource,
): void {
  // a tunnel is no request and response
  if (headers[HTTP2_HEADER_METHOD] === HTTP2_METHOD_CONNECT) return;
  const target = String(headers[HTTP2_HEADER_PATH] ?? '');
  const path = inboundPath(target);
  if (source.context.ignorePaths.has(path)) return;
  const isHead = headers[HTTP2_HEADER_METHOD] === HTTP2_METHOD_HEAD;
  const exchange = new StreamExchange(source, stream, headers['content-length'], target, rawHeaders, path);
  exchanges.set(stream, exchange);
  linkMessages(server);
  // Node ends the writable side of a HEAD before it has been answered
  if (!isHead) stream.on('finish', () => exchange.sent());
  stream.on('close', () => exchange.closed(isHead));
}

/**
 * Follows the events that say which request and response stand for a stream, if the application listens to them: a
 * listener of ours alone would switch the compatibility API on.
 */
function linkMessages(server: EventEmitter): void {
  for (const event of COMPATIBLE) {
    const events = linked.get(server) ?? new Set();
    if (events.has(event) || server.listenerCount(event) === 0) continue;
    linked.set(server, events.add(event));
    server.prependListener(event, onMessages);
  }
}

/** Second, where the application uses the compatibility API. */
function onMessages(request: http2.Http2ServerRequest, response: http2.Http2ServerResponse): void {
  exchanges.get(request.stream as http2.ServerHttp2Stream)?.link(request, response);
}

/** Third: the response's body passes, in chunks; `end` may bring the last one. */
function observeBody(original: (...args: unknown[]) => unknown, isInForce: () => boolean) {
  return function (this: http2.ServerHttp2Stream, ...args: unknown[]) {
    const [chunk, encoding] = args;
    if (isInForce() && (typeof chunk === 'string' || chunk instanceof Uint8Array)) {
      exchanges
        .get(this)
        ?.responseChunk(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : undefined);
    }
    return original.apply(this, args);
  };
}

/** One request and its response, as a stream shows them. */
class StreamExchange implements InboundMessages {
  request: object;
  response: object;
  readonly hasBody: boolean;
  private readonly exchange: InboundExchange;
  private hasRequestEnded = false;

  constructor(
    source: InboundSource,
    private readonly stream: http2.ServerHttp2Stream,
    private readonly contentLength: string | undefined,
    readonly target: string,
    readonly rawHeaders: readonly string[],
    path: string,
  ) {
    this.request = stream;
    this.response = stream;
    this.hasBody = !stream.endAfterHeaders;
    this.exchange = new InboundExchange(source, this, path);
    if (this.exchange.wantsRequestBody) {
      observePush(stream, (chunk, encoding) => {
        this.hasRequestEnded ||= chunk === null;
        this.exchange.requestChunk(chunk, encoding);
      });
    }
  }

  get method(): string {
    const at = this.rawHeaders.indexOf(':method');
    return at < 0 ? '' : (this.rawHeaders[at + 1] ?? '');
  }

  isRequestWhole(bytes: number): boolean {
    return this.hasRequestEnded || String(bytes) === this.contentLength;
  }

  statusCode(): number | undefined {
    const status = this.stream.sentHeaders?.[':status'];
    return status === undefined ? undefined : Number(status);
  }

  contentEncoding(): string | undefined {
    // as the application spelled it
    const sent = Object.entries(this.stream.sentHeaders ?? {});
    const value = sent.find(([name]) => name.toLowerCase() === 'content-encoding')?.[1];
    return value === undefined ? undefined : String(value);
  }

  link(request: object, response: object): void {
    this.request = request;
    this.response = response;
  }

  responseChunk(chunk: string | Uint8Array, encoding: BufferEncoding | undefined): void {
    this.exchange.responseChunk(chunk, encoding);
  }

  /** Last: the response has been handed on; that of a stream that was reset only seems so. */
  sent(): void {
    const status = this.statusCode();
    if (status !== undefined && !this.stream.aborted) this.exchange.finish(status, true);
  }

  /** Last, instead: the stream closed before its response was whole. */
  closed(isHead: boolean): void {
    const status = isHead && !this.stream.aborted ? this.statusCode() : undefined;
    this.exchange.finish(status ?? STATUS_CLIENT_LEFT, status !== undefined);
  }
}
