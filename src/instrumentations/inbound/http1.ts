/**
 * Requests that this process answers through node:http and node:https, whatever framework stands on them.
 *
 * Node's diagnostics channels say when a request has come and when its response has gone; the handler's context is
 * left alone. The response's body is seen by `write` and `end` of ServerResponse.prototype, the request's by the
 * chunks that the parser pushes into it. State hangs on the connection and goes with the response.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Instrumentation } from '../instrumentation';
import { observePush } from '../patching/patch';
import { InboundExchange, InboundSource, inboundPath, STATUS_CLIENT_LEFT } from './exchange';
import { Http1Messages } from './http1-messages';
import { observeResponses } from './response-body';

const NAME = 'http';
const REQUEST_START = 'http.server.request.start';
const RESPONSE_FINISH = 'http.server.response.finish';

interface RequestStart {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly socket: Socket;
  readonly server: unknown;
}

/** The requests under way on a connection: one, or several where a client pipelines. */
const connections = new WeakMap<Socket, Exchange[]>();
/** The exchange that has begun last, while it is under way: mostly the one that is asked for. */
let latest: Exchange | undefined;

export function createInboundInstrumentation(): Instrumentation {
  let endObserving: () => void;
  let onStart: (message: unknown) => void;
  return {
    name: NAME,
    enable(context) {
      const source = new InboundSource(NAME, context);
      onStart = (message) => begin(message as RequestStart, source);
      subscribe(REQUEST_START, onStart);
      subscribe(RESPONSE_FINISH, onFinish);
      endObserving = observeResponses({
        chunk: (response, chunk, encoding) => exchangeOf(response)?.responseChunk(chunk, encoding),
        ended: (response) => exchangeOf(response)?.responseEnded(),
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
function begin({ request, response, socket, server }: RequestStart, source: InboundSource): void {
  const { context } = source;
  if (context.isOwnServer(server)) return;
  try {
    const path = inboundPath(request.url ?? '');
    if (context.ignorePaths.has(path)) return;
    const underWay = watchConnection(socket);
    const exchange = new Exchange(source, request, response, path, underWay);
    underWay.push(exchange);
    latest = exchange;
  } catch (error) {
    context.recorder.failed(NAME, error, 'inner');
  }
}

/**
 * The exchange of a response, found on its connection: an entry in a WeakMap for each response would be work for the
 * collector.
 */
function exchangeOf(
  response: object,
  socket = (response as Partial<ServerResponse>).req?.socket,
): Exchange | undefined {
  if (latest?.response === response) return latest;
  for (const exchange of (socket && connections.get(socket)) ?? []) if (exchange.response === response) return exchange;
  return undefined;
}

/** Not recorded after all: what is answered is no request of the application but a scrape. */
export function forgetExchange(response: object): void {
  const exchange = exchangeOf(response);
  if (exchange === undefined) return;
  exchange.leave();
}

/**
 * Last: the response has been handed to the operating system. Node up to 22 says so also of one whose rest it has
 * dropped because the connection broke.
 */
function onFinish(message: unknown): void {
  const { response, socket } = message as RequestStart;
  const exchange = exchangeOf(response, socket);
  if (exchange === undefined) return;
  const isWhole = exchange.isHandedOver || !(socket.destroyed || socket.errored);
  exchange.finish(isWhole ? sentStatus(response) : STATUS_CLIENT_LEFT, isWhole);
}

/** Last, instead: the connection closed with requests still under way. */
function watchConnection(socket: Socket): Exchange[] {
  const known = connections.get(socket);
  if (known !== undefined) return known;
  const underWay: Exchange[] = [];
  connections.set(socket, underWay);
  // one listener a connection; on the response it would count among the application's own
  socket.on('close', () => {
    for (const exchange of [...underWay]) exchange.finish(STATUS_CLIENT_LEFT, false);
  });
  return underWay;
}

/**
 * Has work done when a response has gone, or its connection broke.
 * @param work must not throw
 * @returns false where that is not known of this response, or has been already
 */
export function whenAnswered(response: object, work: () => void): boolean {
  const exchange = exchangeOf(response);
  if (exchange === undefined) return false;
  exchange.onFinished = [...(exchange.onFinished ?? []), work];
  return true;
}

/** One request and its response, as Node's server shows them. */
class Exchange extends Http1Messages {
  private readonly exchange: InboundExchange;
  /** Whether the operating system had the whole response as soon as it was ended; a destroyed socket is none then. */
  isHandedOver = false;
  /** What waits for the end. */
  onFinished: (() => void)[] | undefined;

  /** @param underWay on the same connection */
  constructor(
    source: InboundSource,
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    private readonly underWay: Exchange[],
  ) {
    super(request, response);
    this.exchange = new InboundExchange(source, this, path);
    if (this.exchange.wantsRequestBody) {
      observePush(request, (chunk, encoding) => this.exchange.requestChunk(chunk, encoding));
    }
  }

  responseChunk(chunk: string | Uint8Array, encoding: BufferEncoding | undefined): void {
    this.exchange.responseChunk(chunk, encoding);
  }

  responseEnded(): void {
    this.exchange.responseEnded();
    this.isHandedOver ||= this.response.socket?.writableLength === 0;
  }

  /** Nothing more is wanted of it. */
  leave(): void {
    if (latest === this) latest = undefined;
    const { underWay } = this;
    const index = underWay.indexOf(this);
    // mostly there is no other
    if (index >= 0 && index === underWay.length - 1) underWay.pop();
    else if (index >= 0) underWay.splice(index, 1);
  }

  finish(status: number, isWhole: boolean): void {
    this.leave();
    if (this.onFinished !== undefined) for (const work of this.onFinished) work();
    this.exchange.finish(status, isWhole);
  }
}

/** Where the three digits of the status stand in the head that Node has composed: `HTTP/1.1 200 OK`. */
const STATUS_AT = 'HTTP/1.1 '.length;
const ZERO = 0x30;

/** The status as it was sent: an error handler that comes too late still changes `statusCode`. */
function sentStatus(response: ServerResponse): number {
  const head = (response as { _header?: string | null })._header;
  if (!head) return response.statusCode;
  return digit(head, STATUS_AT) * 100 + digit(head, STATUS_AT + 1) * 10 + digit(head, STATUS_AT + 2);
}

function digit(text: string, at: number): number {
  return text.charCodeAt(at) - ZERO;
}
