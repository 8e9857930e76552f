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
import { InboundExchange, type InboundMessages, inboundPath, STATUS_CLIENT_LEFT } from './inbound-exchange';
import type { Instrumentation, SourceContext } from './instrumentation';
import { observePush, patchMethod } from './patch';

const NAME = 'http';
const REQUEST_START = 'http.server.request.start';
const RESPONSE_FINISH = 'http.server.response.finish';

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
        patchMethod(ServerResponse.prototype, 'end', observeBody),
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
    const path = inboundPath(request.url ?? '');
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
    if (isInForce() && (typeof chunk === 'string' || chunk instanceof Uint8Array)) {
      exchanges
        .get(this)
        ?.responseChunk(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : undefined);
    }
    return original.apply(this, args);
  };
}

/** Last: the response has been handed to the operating system. */
function onFinish(message: unknown): void {
  const { response } = message as RequestStart;
  exchanges.get(response)?.finish(response.statusCode, true);
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

/** One request and its response, as Node's server shows them. */
class Exchange implements InboundMessages {
  private readonly exchange: InboundExchange;

  constructor(
    context: SourceContext,
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    path: string,
  ) {
    this.exchange = new InboundExchange(context, NAME, this, path);
    if (this.exchange.wantsRequestBody) {
      observePush(request, (chunk, encoding) => this.exchange.requestChunk(chunk, encoding));
    }
  }

  get target(): string {
    return this.request.url ?? '';
  }

  get rawHeaders(): readonly string[] {
    return this.request.rawHeaders;
  }

  statusCode(): number {
    return this.response.statusCode;
  }

  contentEncoding(): string | undefined {
    return contentEncoding(this.response);
  }

  responseChunk(chunk: string | Uint8Array, encoding: BufferEncoding | undefined): void {
    this.exchange.responseChunk(chunk, encoding);
  }

  finish(status: number, isWhole: boolean): void {
    exchanges.delete(this.response);
    connections.get(this.request.socket)?.delete(this);
    this.exchange.finish(status, isWhole);
  }
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
