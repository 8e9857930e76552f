/**
 * Requests that this process answers through node:http and node:https, whatever framework stands on them.
 *
 * Node's diagnostics channels say when a request has come and when its response has gone; the handler's context is
 * left alone. The response's body is seen by `write` and `end` of ServerResponse.prototype, the request's by the
 * chunks that the parser pushes into it. State hangs on the response and goes with it.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { decodePath } from '../business-code/percent-decode';
import { nowMs } from '../core/stopwatch';
import { InboundCodes } from './inbound-codes';
import type { Instrumentation, SourceContext } from './instrumentation';
import { rawPath } from './request-target';
import { observeResponses } from './response-body';
import { routeOf } from './routes';

const NAME = 'http';
const REQUEST_START = 'http.server.request.start';
const RESPONSE_FINISH = 'http.server.response.finish';
/** The client left before the response was handed to the operating system. */
const STATUS_CLIENT_LEFT = 499;
const STATUS_NOT_FOUND = 404;

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
  let endObserving: () => void;
  let onStart: (message: unknown) => void;
  return {
    name: NAME,
    enable(context) {
      onStart = (message) => begin(message as RequestStart, context);
      subscribe(REQUEST_START, onStart);
      subscribe(RESPONSE_FINISH, onFinish);
      endObserving = observeResponses({
        chunk: (response, chunk, encoding) => exchanges.get(response)?.responseChunk(chunk, encoding),
        ended: (response) => exchanges.get(response)?.responseEnded(),
      });
    },
    disable() {
      unsubscribe(REQUEST_START, onStart);
      unsubscribe(RESPONSE_FINISH, onFinish);
      endObserving();
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
  private readonly codes: InboundCodes;
  private isFinished = false;
  /** Whether the operating system had the whole response as soon as it was ended; a destroyed socket is none then. */
  isHandedOver = false;

  constructor(
    private readonly context: SourceContext,
    private readonly request: IncomingMessage,
    private readonly response: ServerResponse,
    private readonly path: string,
  ) {
    this.codes = new InboundCodes(request, response, context.bodyLimit, (error) =>
      context.recorder.failed(NAME, error),
    );
  }

  /** Second: the response's body passes, in pieces. */
  responseChunk(chunk: string | Uint8Array, encoding: BufferEncoding | undefined): void {
    // a response that is not recorded need not be read
    if (!this.codes.hasResponse && this.response.statusCode === STATUS_NOT_FOUND) return;
    this.codes.responseChunk(chunk, encoding);
  }

  responseEnded(): void {
    this.isHandedOver ||= this.response.socket?.writableLength === 0;
  }

  finish(status: number, isWhole: boolean): void {
    if (this.isFinished) return;
    this.isFinished = true;
    this.codes.end();
    exchanges.delete(this.response);
    connections.get(this.request.socket)?.delete(this);
    if (status === STATUS_NOT_FOUND) return;
    const durationMs = nowMs() - this.startedMs;
    try {
      const path = routeOf(this.request) ?? this.path;
      const methodCode = this.codes.methodCode();
      this.codes.readCode(isWhole, (code) => {
        const { fCode } = this.codes;
        this.context.recorder.recordInner({ fCode, path, httpStatus: String(status), code, methodCode }, durationMs);
      });
    } catch (error) {
      this.context.recorder.failed(NAME, error, 'inner');
    }
  }
}

/** The status as it was sent: an error handler that comes too late still changes `statusCode`. */
function sentStatus(response: ServerResponse): number {
  const head = (response as { _header?: string | null })._header;
  return Number(/^HTTP\/\d\.\d (\d{3})/.exec(head ?? '')?.[1] ?? response.statusCode);
}
