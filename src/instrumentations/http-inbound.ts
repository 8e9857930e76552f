/**
 * Requests that this process answers through node:http and node:https, whatever framework stands on them.
 *
 * Node's diagnostics channels say when a request has come and when its response has gone; the handler's context is
 * left alone. The response's body is seen by `write` and `end` of ServerResponse.prototype, the request's by the
 * chunks that the parser pushes into it. State hangs on the response and goes with it.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { BodyReader } from '../business-code/body-reader';
import { innerCode, innerCodeReader, NO_CODE } from '../business-code/codes';
import { decodePath } from '../business-code/percent-decode';
import { findInQuery, type RequestBodyReader, requestBodyReader } from '../business-code/request-data';
import { sharedState } from '../core/overrides';
import { nowMs } from '../core/stopwatch';
import type { Instrumentation, SourceContext } from './instrumentation';
import { observePush, patchMethod } from './patch';
import { readHeaders, type WantedHeaders } from './request-headers';
import { rawPath, rawQuery } from './request-target';
import { routeOf } from './routes';

const NAME = 'http';
const REQUEST_START = 'http.server.request.start';
const RESPONSE_FINISH = 'http.server.response.finish';
/** The client left before the response was handed to the operating system. */
const STATUS_CLIENT_LEFT = 499;
const STATUS_NOT_FOUND = 404;
/** Longest User-Agent that becomes a label whole. */
const F_CODE_CHARACTERS = 20;

interface RequestStart {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly socket: Socket;
  readonly server: unknown;
}

const exchanges = new WeakMap<object, Exchange>();
/** The requests under way on a connection: one, or several where a client pipelines. */
const connections = new WeakMap<Socket, Set<Exchange>>();

export function createInboundInstrumentation(): Instrumentation {
  let restore: (() => void)[] = [];
  let onStart: (message: unknown) => void;
  return {
    name: NAME,
    enable(context) {
      onStart = (message) => begin(message as RequestStart, context);
      subscribe(REQUEST_START, onStart);
      subscribe(RESPONSE_FINISH, onFinish);
      restore = [
        patchMethod(ServerResponse.prototype, 'write', observeBody),
        patchMethod(ServerResponse.prototype, 'end', observeEnd),
      ];
    },
    disable() {
      unsubscribe(REQUEST_START, onStart);
      unsubscribe(RESPONSE_FINISH, onFinish);
      for (const put of restore) put();
    },
  };
}

/** First: the head of a request has been read, and its handler is about to run. */
function begin(message: RequestStart, context: SourceContext): void {
  const { request, response, socket, server } = message;
  if (context.isOwnServer(server)) return;
  try {
    const path = decodePath(rawPath(request.url ?? ''));
    if (context.ignorePaths.has(path)) return;
    const exchange = new Exchange(context, request, response, path);
    exchanges.set(response, exchange);
    watchConnection(socket).add(exchange);
  } catch (error) {
    context.recorder.failed(NAME, error, 'inner');
  }
}

/** Second: the response's body passes, in pieces; `end` may bring the last one. */
function observeBody(original: (...args: unknown[]) => unknown, isInForce: () => boolean) {
  return function (this: ServerResponse, ...args: unknown[]) {
    const [chunk, encoding] = args;
    // what comes behind the end is refused by Node
    if (isInForce() && (typeof chunk === 'string' || chunk instanceof Uint8Array) && !this.writableEnded) {
      exchanges
        .get(this)
        ?.responseChunk(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : undefined);
    }
    return original.apply(this, args);
  };
}

function observeEnd(original: (...args: unknown[]) => unknown, isInForce: () => boolean) {
  const end = observeBody(original, isInForce);
  return function (this: ServerResponse, ...args: unknown[]) {
    const result = end.apply(this, args);
    if (isInForce()) exchanges.get(this)?.responseEnded();
    return result;
  };
}

/**
 * Last: the response has been handed to the operating system. Node up to 22 says so also of one whose rest it has
 * dropped because the connection broke.
 */
function onFinish(message: unknown): void {
  const { response, socket } = message as RequestStart;
  const exchange = exchanges.get(response);
  if (exchange === undefined) return;
  const isWhole = exchange.isHandedOver || !(socket.destroyed || socket.errored);
  exchange.finish(isWhole ? sentStatus(response) : STATUS_CLIENT_LEFT, isWhole);
}

/** Last, instead: the connection closed with requests still under way. */
function watchConnection(socket: Socket): Set<Exchange> {
  let underWay = connections.get(socket);
  if (underWay === undefined) {
    const open = new Set<Exchange>();
    underWay = open;
    connections.set(socket, open);
    // one listener a connection; on the response it would count among the application's own
    socket.on('close', () => {
      for (const exchange of open) exchange.finish(STATUS_CLIENT_LEFT, false);
    });
  }
  return underWay;
}

/** One request and its response. */
class Exchange {
  private readonly startedMs = nowMs();
  private readonly headers: WantedHeaders;
  private readonly query: string;
  private readonly requestBody: RequestBodyReader | undefined;
  private requestBytes = 0;
  private responseBody: BodyReader | undefined;
  private isFinished = false;
  /** Whether the operating system had the whole response as soon as it was ended; a destroyed socket is none then. */
  isHandedOver = false;

  constructor(
    private readonly context: SourceContext,
    private readonly request: IncomingMessage,
    private readonly response: ServerResponse,
    private readonly path: string,
  ) {
    this.headers = readHeaders(request.rawHeaders);
    this.query = rawQuery(request.url ?? '');
    if (this.headers.hasBody && !this.headers.methodCode && context.bodyLimit > 0) {
      const reader = requestBodyReader(this.headers.contentType, context.bodyLimit);
      this.requestBody = reader;
      observePush(request, (chunk, encoding) => this.requestChunk(reader, chunk, encoding));
    }
  }

  private requestChunk(reader: RequestBodyReader, chunk: string | Uint8Array | null, encoding?: BufferEncoding): void {
    if (chunk === null || this.isFinished) return;
    try {
      this.requestBytes += Buffer.byteLength(chunk);
      reader.push(chunk, encoding);
    } catch (error) {
      this.context.recorder.failed(NAME, error);
    }
  }

  responseChunk(chunk: string | Uint8Array, encoding: BufferEncoding | undefined): void {
    if (this.isFinished) return;
    try {
      if (this.responseBody === undefined) {
        // a response that is not recorded need not be read
        if (this.response.statusCode === STATUS_NOT_FOUND) return;
        this.responseBody = innerCodeReader(this.context.bodyLimit);
        this.responseBody.setEncoding(contentEncoding(this.response));
      }
      this.responseBody.push(chunk, encoding);
    } catch (error) {
      this.context.recorder.failed(NAME, error);
    }
  }

  responseEnded(): void {
    this.isHandedOver ||= this.response.socket?.writableLength === 0;
  }

  finish(status: number, isWhole: boolean): void {
    if (this.isFinished) return;
    this.isFinished = true;
    exchanges.delete(this.response);
    connections.get(this.request.socket)?.delete(this);
    if (status === STATUS_NOT_FOUND) return;
    const durationMs = nowMs() - this.startedMs;
    try {
      const path = routeOf(this.request) ?? this.path;
      const methodCode = this.methodCode();
      this.readCode(isWhole, (code) => {
        const fCode = shortened(this.headers.userAgent ?? '');
        this.context.recorder.recordInner({ fCode, path, httpStatus: String(status), code, methodCode }, durationMs);
      });
    } catch (error) {
      this.context.recorder.failed(NAME, error, 'inner');
    }
  }

  private readCode(isWhole: boolean, onCode: (code: string) => void): void {
    const own = sharedState().businessCodes.get(this.response);
    if (own !== undefined) onCode(own);
    else if (this.responseBody === undefined) onCode(NO_CODE);
    else this.responseBody.end(isWhole, (codes) => onCode(innerCode(codes)));
  }

  /** Node says `complete` one turn after the last byte, which is too late where the answer did not wait for it. */
  private isRequestWhole(): boolean {
    return this.request.complete || String(this.requestBytes) === this.request.headers['content-length'];
  }

  private methodCode(): string {
    return (
      sharedState().methodCodes.get(this.request) ||
      this.headers.methodCode ||
      (findInQuery(this.query) ?? this.requestBody?.end(this.isRequestWhole()) ?? '')
    );
  }
}

function shortened(userAgent: string): string {
  return userAgent.length > F_CODE_CHARACTERS ? `${userAgent.slice(0, F_CODE_CHARACTERS)}...` : userAgent;
}

/** The status as it was sent: an error handler that comes too late still changes `statusCode`. */
function sentStatus(response: ServerResponse): number {
  const head = (response as { _header?: string | null })._header;
  return Number(/^HTTP\/\d\.\d (\d{3})/.exec(head ?? '')?.[1] ?? response.statusCode);
}

/**
 * How the response's body is packed. Headers that were handed to `writeHead` as an object are only in the text of the
 * head that Node has composed by then.
 */
function contentEncoding(response: ServerResponse): string | undefined {
  const value = response.getHeader('content-encoding');
  if (value !== undefined) return String(value);
  const head = (response as { _header?: string | null })._header;
  return head ? /\r\ncontent-encoding:[ \t]*([^\r]*)/i.exec(head)?.[1] : undefined;
}
