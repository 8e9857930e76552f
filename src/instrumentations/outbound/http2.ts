/**
 * Exchanges with hosts of the partner directory through sessions of node:http2. A request to any other host costs one
 * look-up. undici opens sessions too; its exchanges are recorded in undici.ts.
 *
 * `connect` is patched because it alone is given the origin of a session, and `request` on the prototype of sessions,
 * which Node does not export: it is taken from the first session. Node's diagnostics channels of client streams do not
 * exist in every supported version.
 */
import { type EventEmitter, errorMonitor } from 'node:events';
import http2 from 'node:http2';
import type { Chunk } from '../../business-code/body-reader';
import type { AnswerHead } from '../../business-code/code-reader';
import { rpcKindOf } from '../../business-code/rpc/kind';
import { nowMs } from '../../runtime/clock';
import type { Instrumentation, SourceContext } from '../instrumentation';
import { publishExports } from '../patching/builtin-exports';
import { observePush, patchMethod } from '../patching/patch';
import { findDestination, type Origin, originOf } from './destination';
import { partnerErrorOf } from './partner-error';
import { PartnerExchange } from './partner-exchange';
import { rpcTimeoutMs } from './rpc-deadline';

const NAME = 'http2';
const PATCHED = { http2: ['connect'] };
const { NGHTTP2_NO_ERROR } = http2.constants;

type Connect = (...args: unknown[]) => http2.ClientHttp2Session;
type Request = (this: http2.ClientHttp2Session, ...args: unknown[]) => http2.ClientHttp2Stream;

/**
 * Where sessions lead. Kept for the life of the process and not of the instrumentation: a session may be opened before
 * a `stop()` and used after the next `start()`, and does not itself show its origin.
 */
const origins = new WeakMap<http2.ClientHttp2Session, Origin>();

export function createHttp2OutboundInstrumentation(): Instrumentation {
  let restore: (() => void)[] = [];
  return {
    name: NAME,
    enable(context) {
      let isPrototypePatched = false;
      const connections: Connections = new WeakMap();
      const observe = (original: Request, isInForce: () => boolean): Request =>
        observedRequest(original, isInForce, context, connections);
      const patchPrototype = (session: http2.ClientHttp2Session) => {
        if (isPrototypePatched) return;
        isPrototypePatched = true;
        const prototype = Object.getPrototypeOf(session) as http2.ClientHttp2Session;
        restore.push(patchMethod(prototype, 'request', observe));
      };
      const observeConnect = (original: Connect, isInForce: () => boolean): Connect =>
        function (this: unknown, ...args) {
          const session = original.apply(this, args);
          if (!isInForce()) return session;
          try {
            origins.set(session, connectOrigin(args));
            patchPrototype(session);
          } catch (error) {
            context.recorder.failed(NAME, error);
          }
          return session;
        };
      restore = [patchMethod(http2, 'connect', observeConnect)];
      publishExports(PATCHED);
    },
    disable() {
      for (const put of restore) put();
      publishExports(PATCHED);
    },
  };
}

function observedRequest(
  original: Request,
  isInForce: () => boolean,
  context: SourceContext,
  connections: Connections,
): Request {
  return function (...args) {
    if (!isInForce()) return original.apply(this, args);
    const startedMs = nowMs();
    const stream = original.apply(this, args);
    try {
      begin(this, stream, startedMs, context, connections);
    } catch (error) {
      context.recorder.failed(NAME, error, 'partner');
    }
    return stream;
  };
}

/** First: the request has been made; the session may still have to connect. */
function begin(
  session: http2.ClientHttp2Session,
  stream: http2.ClientHttp2Stream,
  startedMs: number,
  context: SourceContext,
  connections: Connections,
): void {
  const origin = origins.get(session);
  if (origin === undefined) return;
  const headers = stream.sentHeaders ?? {};
  // CONNECT with `:protocol` opens no tunnel but a WebSocket with the host itself, as Upgrade does in HTTP/1
  // (RFC 8441, section 4)
  const isUpgrade = headers[':protocol'] !== undefined;
  const destination = findDestination(context.partners, {
    method: isUpgrade ? undefined : String(headers[':method']),
    protocol: origin.protocol,
    hostname: origin.hostname,
    path: String(headers[':path'] ?? ''),
    port: () => origin.port,
  });
  if (destination === undefined || isOfUndici(session)) return;
  const partnerExchange = new PartnerExchange(context, NAME, destination, startedMs);
  const connection = watchConnection(session, connections);
  const timeoutMs = rpcTimeoutMs(headers);
  const givenUpMs = timeoutMs === undefined ? undefined : startedMs + timeoutMs;
  const exchange = new Http2Exchange(partnerExchange, stream, { connection, isUpgrade, givenUpMs }, context.bodyLimit);
  // the monitor of errors is no listener for them: an error without one stays unhandled
  stream.on(errorMonitor, (error) => exchange.failed(error));
  stream.on('timeout', () => exchange.timedOut());
  stream.on('response', (responseHeaders) => exchange.responded(responseHeaders));
  stream.on('trailers', (trailers) => exchange.trailersReceived(trailers));
  stream.on('close', () => exchange.closed());
  observePush(stream, (chunk, encoding) => exchange.chunk(chunk, encoding));
}

/** Of sessions with partners, whether the connection was closed. */
type Connections = WeakMap<http2.ClientHttp2Session, Connection>;
interface Connection {
  readonly isClosed: boolean;
}

/**
 * Node closes the streams of a lost connection without an error, as it does those that the application gives up. But
 * a lost connection closes before its streams, and one whose stream is given up does not.
 */
function watchConnection(session: http2.ClientHttp2Session, connections: Connections): Connection {
  const known = connections.get(session);
  if (known !== undefined) return known;
  const connection = { isClosed: false };
  connections.set(session, connection);
  const watch = (socket: EventEmitter) => {
    socket.once('close', () => {
      connection.isClosed = true;
    });
  };
  if (session.connecting) session.once('connect', (_session, socket) => watch(socket));
  else watch(session.socket);
  return connection;
}

/** What is known of an exchange from the beginning. */
interface Begun {
  readonly connection: Connection;
  readonly isUpgrade: boolean;
  /** By `nowMs()`: from when on a stream that is given up has timed out. */
  readonly givenUpMs: number | undefined;
}

/** One exchange with a partner, as its stream shows it. */
class Http2Exchange {
  private hasResponded = false;
  private hasEnded = false;
  private hasTimedOut = false;
  private hasFailed = false;
  /** Whether the status of a gRPC method is still to come: the trailers follow the end of the body in another turn. */
  private awaitsTrailers = false;
  private trailers: http2.IncomingHttpHeaders | undefined;
  /** Chunks that were received together with the head: Node pushes them before it emits `response`. */
  private early: [Chunk, BufferEncoding | undefined][] = [];
  private earlyLeft: number;

  constructor(
    private readonly exchange: PartnerExchange,
    private readonly stream: http2.ClientHttp2Stream,
    private readonly begun: Begun,
    bodyLimit: number,
  ) {
    this.earlyLeft = bodyLimit;
  }

  /** Second: the head of the response was received. */
  responded(headers: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader): void {
    this.hasResponded = true;
    this.exchange.responded(headers[':status']);
    // what follows on the stream is another protocol's
    if (this.begun.isUpgrade) this.exchange.finish(false);
    this.awaitsTrailers = rpcKindOf(headers['content-type']) === 'grpc' && headers['grpc-status'] === undefined;
    this.exchange.bodyBegins(this.headOf(headers));
    for (const [chunk, encoding] of this.early) this.exchange.chunk(chunk, encoding);
    this.early = [];
    if (this.hasEnded && !this.awaitsTrailers) this.exchange.finish(true);
  }

  private headOf(headers: http2.IncomingHttpHeaders): AnswerHead {
    return {
      header: (name) => headers[name]?.toString(),
      trailer: (name) => this.trailers?.[name],
    };
  }

  /** Third: a chunk of the body; null: the end of the body. */
  chunk(chunk: Chunk | null, encoding?: BufferEncoding): void {
    if (chunk === null) this.ended();
    else if (this.hasResponded) this.exchange.chunk(chunk, encoding);
    else if (this.earlyLeft >= 0) {
      this.early.push([chunk, encoding]);
      // one chunk beyond the limit, so that the reader finds the body too large
      this.earlyLeft -= chunk.length;
    }
  }

  private ended(): void {
    // Node ends the readable side of a stream that was reset, or given up with its session, too
    if (this.hasFailed || this.stream.destroyed || (this.stream.rstCode ?? NGHTTP2_NO_ERROR) !== NGHTTP2_NO_ERROR)
      return;
    this.hasEnded = true;
    if (this.hasResponded && !this.awaitsTrailers) this.exchange.finish(true);
  }

  /** Last, for gRPC. */
  trailersReceived(trailers: http2.IncomingHttpHeaders): void {
    this.trailers = trailers;
    if (this.awaitsTrailers) this.exchange.finish(true);
  }

  timedOut(): void {
    this.hasTimedOut = true;
  }

  /** The exchange failed; its end is the stream's `close`, which follows. */
  failed(error: unknown): void {
    this.hasFailed = true;
    this.exchange.failed(partnerErrorOf(error, { hasTimedOut: this.hasTimedOut, isDestroyed: false }));
  }

  /** Last: the stream is over, with a response that was read, that was not, or with none. */
  closed(): void {
    if (this.begun.connection.isClosed && !this.hasTimedOut) this.exchange.failed('reset');
    if (this.begun.givenUpMs !== undefined && nowMs() >= this.begun.givenUpMs) this.exchange.failed('timeout');
    this.failed(undefined);
    // a partner may send no trailers where they are due
    this.exchange.finish(this.hasEnded);
  }
}

/** The origin of a session, read as `connect` reads its arguments. */
function connectOrigin([authority, options]: readonly unknown[]): Origin {
  const url = (typeof authority === 'string' ? new URL(authority) : authority) as Partial<URL>;
  const { protocol } = (options ?? {}) as { protocol?: string };
  return originOf({
    protocol: url.protocol || protocol || 'https:',
    hostname: url.hostname || url.host || 'localhost',
    port: url.port,
  });
}

/** Whether undici opened a session: it keeps a count of streams on it, under the same symbol in versions 5 to 8. */
function isOfUndici(session: http2.ClientHttp2Session): boolean {
  return Object.getOwnPropertySymbols(session).some(({ description }) => description === 'open streams');
}
