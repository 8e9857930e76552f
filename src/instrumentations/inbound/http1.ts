/**
 * Requests that this process answers through node:http and node:https, with or without a framework.
 *
 * Node's diagnostics channels publish the start of a request and the end of its response; the context of the handler is
 * not touched. The response's body is observed in `write` and `end` of ServerResponse.prototype, the request's in the
 * chunks that the parser pushes into it. State is kept by connection, until the response has ended.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Instrumentation } from '../instrumentation';
import { observePush } from '../patching/patch';
import { REQUEST_START, type RequestStart } from '../patching/request-start';
import { AnnouncedBody } from './announced-body';
import type { InboundCodes } from './codes';
import { InboundExchange, InboundSource, inboundPath, STATUS_CLIENT_LEFT } from './exchange';
import { Http1Messages } from './http1-messages';
import { announcedBytes, isHeadAlone, isWritten, sentStatus } from './http1-response';
import { observeResponses } from './response-body';
import { listenForRoutes } from './set-route';
import type { OnWritten } from './written';

const NAME = 'http';
const RESPONSE_FINISH = 'http.server.response.finish';

const connections = new WeakMap<Socket, Connection>();
/** The exchange that started last, while it is under way: usually the one that is looked up. */
let latest: Exchange | undefined;

export function createInboundInstrumentation(): Instrumentation {
  let endObserving: () => void;
  let endListening: () => void;
  let onStart: (message: unknown) => void;
  return {
    name: NAME,
    enable(context) {
      const source = new InboundSource(NAME, context);
      onStart = (message) => begin(message as RequestStart, source);
      subscribe(REQUEST_START, onStart);
      subscribe(RESPONSE_FINISH, onFinish);
      endListening = listenForRoutes();
      endObserving = observeResponses({
        beforeWrite: (response, chunk, encoding) => exchangeOf(response)?.beforeWrite(chunk, encoding),
        chunk: (response, chunk, encoding) => exchangeOf(response)?.codes.responseChunk(chunk, encoding),
        ended: (response) => exchangeOf(response)?.responseEnded(),
      });
    },
    disable() {
      unsubscribe(REQUEST_START, onStart);
      unsubscribe(RESPONSE_FINISH, onFinish);
      endObserving();
      endListening();
      latest = undefined;
    },
  };
}

/** First: the head of a request has been read, and its handler is about to run. */
function begin({ request, response, socket, server }: RequestStart, source: InboundSource): void {
  const { context } = source;
  if (context.isOwnServer(server)) return;
  try {
    const path = inboundPath(request.url ?? '');
    if (context.ignorePaths.has(path)) {
      context.recorder.unrecorded('ignored');
      return;
    }
    const connection = watchConnection(socket);
    const exchange = new Exchange(source, request, response, path, connection);
    connection.add(exchange);
    latest = exchange;
  } catch (error) {
    context.recorder.failed(NAME, error, 'inner');
  }
}

/** Looked up by connection, because an entry in a WeakMap for each response would be work for the garbage collector. */
function exchangeOf(
  response: object,
  socket = (response as Partial<ServerResponse>).req?.socket,
): Exchange | undefined {
  if (latest?.response === response) return latest;
  return socket && connections.get(socket)?.find(response);
}

/** The codes of a response under way and of its request, as the metrics read them; undefined where it is not observed. */
export function codesOf(response: object): InboundCodes | undefined {
  return exchangeOf(response)?.codes;
}

/** Records nothing for a response, because it answers a scrape and no request of the application. */
export function forgetExchange(response: object): void {
  exchangeOf(response)?.leave();
}

/**
 * Last: the response has been handed to the operating system. Up to Node 22 this also fires when the connection broke
 * and the rest was discarded.
 */
function onFinish(message: unknown): void {
  const { response, socket } = message as Pick<RequestStart, 'response' | 'socket'>;
  const exchange = exchangeOf(response, socket);
  if (exchange === undefined) return;
  exchange.finish(exchange.isHandedOver || !(socket.destroyed || socket.errored));
}

/** Last, instead: the connection closed with requests still under way. */
function watchConnection(socket: Socket): Connection {
  const known = connections.get(socket);
  if (known !== undefined) return known;
  const connection = new Connection();
  connections.set(socket, connection);
  // one listener per connection; listeners on the response would count among the application's own
  socket.on('close', () => connection.closed());
  return connection;
}

/**
 * Calls back when a response has ended, or its connection broke.
 * @param work must not throw
 * @returns false for a response that is not observed, or has ended already
 */
export function whenAnswered(response: object, work: () => void): boolean {
  const exchange = exchangeOf(response);
  if (exchange === undefined) return false;
  exchange.onFinished ??= [];
  exchange.onFinished.push(work);
  return true;
}

/**
 * The exchanges under way on one connection: usually one, and as many as a client pipelines. None is searched for: a
 * client may send tens of thousands of requests before the first is answered.
 */
class Connection {
  private first: Exchange | undefined;
  /** Those that began while another was under way, by response. */
  private pipelined: Map<object, Exchange> | undefined;

  add(exchange: Exchange): void {
    if (this.first === undefined) {
      this.first = exchange;
    } else {
      this.pipelined ??= new Map();
      this.pipelined.set(exchange.response, exchange);
    }
  }

  find(response: object): Exchange | undefined {
    return this.first?.response === response ? this.first : this.pipelined?.get(response);
  }

  remove(exchange: Exchange): void {
    if (this.first === exchange) this.first = undefined;
    else this.pipelined?.delete(exchange.response);
  }

  closed(): void {
    this.first?.closed();
    for (const exchange of this.pipelined?.values() ?? []) exchange.closed();
  }
}

/** One request and its response on a connection. */
class Exchange {
  private readonly exchange: InboundExchange;
  readonly codes: InboundCodes;
  /**
   * Whether the operating system has the whole response: all bytes that it announced, or what `end` wrote. Who has them
   * may close the connection before the application calls `end`, or Node reports it.
   */
  isHandedOver = false;
  private body: AnnouncedBody | undefined;
  /** Callbacks for the end. */
  onFinished: (() => void)[] | undefined;

  constructor(
    source: InboundSource,
    private readonly request: IncomingMessage,
    readonly response: ServerResponse,
    path: string,
    private readonly connection: Connection,
  ) {
    this.exchange = new InboundExchange(source, new Http1Messages(request, response), path);
    this.codes = this.exchange.codes;
    if (this.codes.wantsRequestBody) {
      observePush(request, (chunk, encoding) => this.codes.requestChunk(chunk, encoding));
    }
  }

  /** @returns a callback for when the chunk has been handed to the operating system, if it is the last that is due */
  beforeWrite(chunk: unknown, encoding: unknown): OnWritten | undefined {
    this.body ??= new AnnouncedBody(announcedBytes(this.response));
    if (!this.body.isLast(chunk, encoding)) return undefined;
    return (error) => {
      // Node also reports success for a write that was under way when the socket was destroyed
      this.isHandedOver ||= !error && !this.request.socket.destroyed;
    };
  }

  responseEnded(): void {
    this.codes.responseEnded();
    this.isHandedOver ||= isWritten(this.response, this.request.socket);
  }

  /** Removes it from those under way. */
  leave(): void {
    if (latest === this) latest = undefined;
    this.connection.remove(this);
  }

  /** The connection has closed. */
  closed(): void {
    this.finish(this.isHandedOver || isHeadAlone(this.response));
  }

  finish(isWhole: boolean): void {
    this.leave();
    if (this.onFinished !== undefined) for (const work of this.onFinished) work();
    this.exchange.finish(isWhole ? sentStatus(this.response) : STATUS_CLIENT_LEFT, isWhole);
  }
}
