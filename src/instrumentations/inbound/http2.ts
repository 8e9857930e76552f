/**
 * Requests that this process answers through servers of node:http2, by streams or by the request and response of the
 * compatibility API. Requests over HTTP/1 to such a server are observed by http1.ts.
 *
 * A server emits `stream` for every request; a listener before the application's own starts the measurement. The
 * response's body is observed in `write` and `end` of the prototype of the streams, which is reached through the first
 * stream; a file that Node sends by itself does not pass there. The trailers of gRPC are observed in `sendTrailers`: a
 * listener for the event that asks for them would keep Node from sending them where the application does not.
 */
import type { EventEmitter } from 'node:events';
import http2 from 'node:http2';
import type { AnswerHeader } from '../../business-code/code-reader';
import { rpcKindOf } from '../../business-code/rpc/kind';
import type { Instrumentation } from '../instrumentation';
import { publishExports } from '../patching/builtin-exports';
import { observePush, patchMethod } from '../patching/patch';
import { AnnouncedBody, announcedLength } from './announced-body';
import type { InboundCodes, InboundMessages } from './codes';
import { InboundExchange, InboundSource, inboundPath, STATUS_CLIENT_LEFT } from './exchange';
import { listenForRoutes } from './set-route';
import { type OnWritten, withCallback } from './written';

const NAME = 'http2';
const PATCHED = { http2: ['createServer', 'createSecureServer'] };
const { HTTP2_HEADER_METHOD, HTTP2_HEADER_PATH, HTTP2_METHOD_CONNECT, HTTP2_METHOD_HEAD } = http2.constants;
/** The events by which the compatibility API passes a request and a response to the application. */
const COMPATIBLE = ['request', 'checkContinue'] as const;

type Create = (...args: unknown[]) => EventEmitter;
type OnStream = (
  stream: http2.ServerHttp2Stream,
  headers: http2.IncomingHttpHeaders,
  flags: number,
  rawHeaders: readonly string[],
) => void;

const exchanges = new WeakMap<http2.ServerHttp2Stream, StreamExchange>();
/** Servers, and the events of the compatibility API that are observed on them. */
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
        restore.push(
          patchMethod(prototype, 'write', observeWrite),
          patchMethod(prototype, 'end', observeEnd),
          patchMethod(prototype, 'sendTrailers', observeTrailers),
        );
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
      restore = [
        patchMethod(http2, 'createServer', observe),
        patchMethod(http2, 'createSecureServer', observe),
        listenForRoutes(),
      ];
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
  // CONNECT opens a tunnel, which has no request and response
  if (headers[HTTP2_HEADER_METHOD] === HTTP2_METHOD_CONNECT) return;
  const target = String(headers[HTTP2_HEADER_PATH] ?? '');
  const path = inboundPath(target);
  if (source.context.ignorePaths.has(path)) {
    source.context.recorder.unrecorded('ignored');
    return;
  }
  const isHead = headers[HTTP2_HEADER_METHOD] === HTTP2_METHOD_HEAD;
  const exchange = new StreamExchange(source, stream, headers, target, rawHeaders, path);
  exchanges.set(stream, exchange);
  linkMessages(server);
  // Node ends the writable side of a HEAD request before the response
  if (!isHead) stream.on('finish', () => exchange.sent());
  stream.on('close', () => exchange.closed(isHead));
}

/**
 * Listens for the request and response that belong to a stream, if the application does too: a listener of ours alone
 * would switch the compatibility API on.
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

type Method = (...args: unknown[]) => unknown;

/** Third: a chunk of the response's body is written. */
function observeWrite(original: Method, isInForce: () => boolean): Method {
  return function (this: http2.ServerHttp2Stream, ...args: unknown[]) {
    const exchange = isInForce() ? exchanges.get(this) : undefined;
    if (exchange === undefined) return original.apply(this, args);
    exchange.responseChunk(args[0], args[1]);
    const onWritten = exchange.beforeWrite(args[0], args[1]);
    return original.apply(this, onWritten === undefined ? args : withCallback(args, onWritten));
  };
}

/** Third, or the only one: the last chunk. */
function observeEnd(original: Method, isInForce: () => boolean): Method {
  return function (this: http2.ServerHttp2Stream, ...args: unknown[]) {
    if (isInForce()) exchanges.get(this)?.responseChunk(args[0], args[1]);
    return original.apply(this, args);
  };
}

/** After the last chunk, where the response has trailers or the compatibility API is used. */
function observeTrailers(original: Method, isInForce: () => boolean): Method {
  return function (this: http2.ServerHttp2Stream, ...args: unknown[]) {
    const result = original.apply(this, args);
    if (isInForce()) exchanges.get(this)?.trailersSent();
    return result;
  };
}

/** One request and its response on a stream. */
class StreamExchange implements InboundMessages {
  request: object;
  response: object;
  readonly hasBody: boolean;
  readonly codes: InboundCodes;
  private readonly exchange: InboundExchange;
  private hasRequestEnded = false;
  private body: AnnouncedBody | undefined;
  /** Whether all bytes that the response announced have been sent: a client may leave then, and `end` come later. */
  private isHandedOver = false;
  private readonly isGrpc: boolean;
  /** Whether the response of a gRPC method has been sent but for its trailers, which Node asks for after `finish`. */
  private isSentWithoutTrailers = false;

  constructor(
    source: InboundSource,
    private readonly stream: http2.ServerHttp2Stream,
    private readonly headers: http2.IncomingHttpHeaders,
    readonly target: string,
    readonly rawHeaders: readonly string[],
    path: string,
  ) {
    this.request = stream;
    this.response = stream;
    this.hasBody = !stream.endAfterHeaders;
    this.isGrpc = rpcKindOf(headers['content-type']) === 'grpc';
    this.exchange = new InboundExchange(source, this, path);
    this.codes = this.exchange.codes;
    if (this.codes.wantsRequestBody) {
      observePush(stream, (chunk, encoding) => {
        this.hasRequestEnded ||= chunk === null;
        this.codes.requestChunk(chunk, encoding);
      });
    }
  }

  get method(): string {
    const at = this.rawHeaders.indexOf(':method');
    return at < 0 ? '' : (this.rawHeaders[at + 1] ?? '');
  }

  isRequestWhole(bytes: number): boolean {
    return this.hasRequestEnded || String(bytes) === this.headers['content-length'];
  }

  statusCode(): number | undefined {
    const status = this.stream.sentHeaders?.[':status'];
    return status === undefined ? undefined : Number(status);
  }

  header(name: AnswerHeader): string | undefined {
    const value = fieldOf(this.stream.sentHeaders, name);
    return value === undefined ? undefined : String(value);
  }

  trailer(name: AnswerHeader): unknown {
    return fieldOf(this.stream.sentTrailers, name);
  }

  responseChunk(chunk: unknown, encoding: unknown): void {
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) return;
    this.codes.responseChunk(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : undefined);
  }

  /** @returns a callback for when the chunk has been sent, if it is the last that is due */
  beforeWrite(chunk: unknown, encoding: unknown): OnWritten | undefined {
    this.body ??= new AnnouncedBody(this.announcedBytes());
    if (!this.body.isLast(chunk, encoding)) return undefined;
    return (error) => {
      this.isHandedOver ||= !error && !this.stream.destroyed;
    };
  }

  private announcedBytes(): number {
    return announcedLength(fieldOf(this.stream.sentHeaders, 'content-length'));
  }

  link(request: object, response: object): void {
    this.request = request;
    this.response = response;
  }

  /** Last: the response has been sent; `finish` also fires for a stream that was reset. */
  sent(): void {
    if (this.stream.aborted) return;
    if (this.awaitsTrailers()) this.isSentWithoutTrailers = true;
    else this.finishWhole();
  }

  /** Last, for gRPC: Node has taken the trailers, after the last byte before them has been sent. */
  trailersSent(): void {
    if (this.awaitsTrailers()) this.finishWhole();
  }

  /** Whether the response ends with the status of a gRPC method; one without messages has it in its head. */
  private awaitsTrailers(): boolean {
    return this.isGrpc && rpcKindOf(this.header('content-type')) === 'grpc' && this.header('grpc-status') === undefined;
  }

  private finishWhole(): void {
    const status = this.statusCode();
    if (status !== undefined) this.exchange.finish(status, true);
  }

  /** Last, instead: the stream closed before its response was complete, or before it was ended. */
  closed(isHead: boolean): void {
    const isSent = isHead || this.isSentWithoutTrailers;
    const isWhole = this.isHandedOver || this.announcedBytes() === 0 || (isSent && !this.stream.aborted);
    const status = isWhole ? this.statusCode() : undefined;
    this.exchange.finish(status ?? STATUS_CLIENT_LEFT, status !== undefined);
  }
}

/** Of headers as the application gave them, in its spelling. */
function fieldOf(headers: http2.OutgoingHttpHeaders | undefined, wanted: string): unknown {
  if (headers === undefined) return undefined;
  const value = headers[wanted];
  if (value !== undefined) return value;
  for (const name in headers) {
    if (name.length === wanted.length && name.toLowerCase() === wanted) return headers[name];
  }
  return undefined;
}
