/**
 * Calls that this process makes through sessions of node:http2 to hosts of the partner directory. Any other call
 * costs one look-up of its host. undici opens sessions of this kind too; its calls are measured in undici.ts.
 *
 * `connect` is patched to know where a session leads, and `request` on the sessions' prototype, which is reached
 * through the first of them. Node's channels of client streams are too young to rely on.
 */
import { type EventEmitter, errorMonitor } from 'node:events';
import http2 from 'node:http2';
import type { Chunk } from '../../business-code/body-reader';
import { nowMs } from '../../runtime/clock';
import type { Instrumentation, SourceContext } from '../instrumentation';
import { publishExports } from '../patching/builtin-exports';
import { observePush, patchMethod } from '../patching/patch';
import { destinationOf } from './destination';
import { PartnerCall } from './partner-call';
import { partnerErrorOf } from './partner-error';

const NAME = 'http2';
const PATCHED = { http2: ['connect'] };
const { HTTP2_HEADER_PATH, NGHTTP2_NO_ERROR } = http2.constants;

/** Where a session leads. */
interface Authority {
  /** With its colon. */
  readonly protocol: string;
  readonly hostname: string;
  readonly port: number | undefined;
}

type Connect = (...args: unknown[]) => http2.ClientHttp2Session;
type Request = (this: http2.ClientHttp2Session, ...args: unknown[]) => http2.ClientHttp2Stream;

const authorities = new WeakMap<http2.ClientHttp2Session, Authority>();
/** Sessions with partners, and whether their connection has gone. */
const connections = new WeakMap<http2.ClientHttp2Session, { isGone: boolean }>();

export function createHttp2OutboundInstrumentation(): Instrumentation {
  let restore: (() => void)[] = [];
  return {
    name: NAME,
    enable(context) {
      let isPrototypePatched = false;
      const observe = (original: Request, isInForce: () => boolean): Request => observed(original, isInForce, context);
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
            authorities.set(session, authorityOf(args));
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

function observed(original: Request, isInForce: () => boolean, context: SourceContext): Request {
  return function (...args) {
    if (!isInForce()) return original.apply(this, args);
    const startedMs = nowMs();
    const stream = original.apply(this, args);
    try {
      begin(this, stream, startedMs, context);
    } catch (error) {
      context.recorder.failed(NAME, error, 'partner');
    }
    return stream;
  };
}

/** First: the call has been made; the session may still have to connect. */
function begin(
  session: http2.ClientHttp2Session,
  stream: http2.ClientHttp2Stream,
  startedMs: number,
  context: SourceContext,
): void {
  const authority = authorities.get(session);
  if (authority === undefined || !context.partners.knowsHost(authority.hostname) || isOfUndici(session)) return;
  const partner = context.partners.find(authority.protocol, authority.hostname, authority.port);
  if (partner === undefined) return;
  const path = String(stream.sentHeaders?.[HTTP2_HEADER_PATH] ?? '');
  const exchange = new PartnerCall(context, NAME, destinationOf(partner, path), startedMs);
  const call = new StreamCall(exchange, stream, watchConnection(session), context.bodyLimit);
  // the monitor of errors is no listener for them: an error that nobody handles stays the application's
  stream.on(errorMonitor, (error) => call.failed(error));
  stream.on('timeout', () => call.timedOut());
  stream.on('response', (headers) => call.responded(headers));
  stream.on('close', () => call.closed());
  observePush(stream, (chunk, encoding) => call.chunk(chunk, encoding));
}

/**
 * Node closes the streams of a lost connection as the application closes those it gives up, without an error. But then
 * the connection has gone before them, and in the other case it has not.
 */
function watchConnection(session: http2.ClientHttp2Session): { readonly isGone: boolean } {
  let connection = connections.get(session);
  if (connection === undefined) {
    const watched = { isGone: false };
    connection = watched;
    connections.set(session, connection);
    const watch = (socket: EventEmitter) => {
      socket.once('close', () => {
        watched.isGone = true;
      });
    };
    if (session.connecting) session.once('connect', (_session, socket) => watch(socket));
    else watch(session.socket);
  }
  return connection;
}

/** One exchange with a partner, as its stream shows it. */
class StreamCall {
  private hasResponded = false;
  private hasEnded = false;
  private hasTimedOut = false;
  private hasFailed = false;
  /** Chunks of the body that Node has read together with the head, which it announces after them. */
  private early: [Chunk, BufferEncoding | undefined][] = [];
  private earlyLeft: number;

  constructor(
    private readonly call: PartnerCall,
    private readonly stream: http2.ClientHttp2Stream,
    private readonly connection: { readonly isGone: boolean },
    bodyLimit: number,
  ) {
    this.earlyLeft = bodyLimit;
  }

  /** Second: the head of the response has come. */
  responded(headers: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader): void {
    this.hasResponded = true;
    this.call.responded(headers[':status']);
    const contentEncoding = headers['content-encoding'];
    this.call.bodyBegins(() => contentEncoding);
    for (const [chunk, encoding] of this.early) this.call.chunk(chunk, encoding);
    this.early = [];
    if (this.hasEnded) this.call.finish(true);
  }

  /** Third: the body comes in chunks, and null when it is at its end. */
  chunk(chunk: Chunk | null, encoding?: BufferEncoding): void {
    if (chunk === null) this.ended();
    else if (this.hasResponded) this.call.chunk(chunk, encoding);
    else if (this.earlyLeft >= 0) {
      this.early.push([chunk, encoding]);
      // one chunk beyond the limit, so that the reader sees that it was passed
      this.earlyLeft -= chunk.length;
    }
  }

  private ended(): void {
    // Node ends the readable side of a stream that was reset, too
    if (this.hasFailed || (this.stream.rstCode ?? NGHTTP2_NO_ERROR) !== NGHTTP2_NO_ERROR) return;
    this.hasEnded = true;
    if (this.hasResponded) this.call.finish(true);
  }

  timedOut(): void {
    this.hasTimedOut = true;
  }

  /** The exchange failed; its end is the stream's `close`, which follows. */
  failed(error: unknown): void {
    this.hasFailed = true;
    this.call.failed(partnerErrorOf(error, { hasTimedOut: this.hasTimedOut, isDestroyed: false }));
  }

  /** Last: the stream is over, with a response that was read, that was not, or with none. */
  closed(): void {
    if (this.connection.isGone && !this.hasTimedOut) this.call.failed('reset');
    this.failed(undefined);
    this.call.finish(false);
  }
}

/** Where `connect` leads, read as it reads its arguments. */
function authorityOf([target, options]: readonly unknown[]): Authority {
  const url = (typeof target === 'string' ? new URL(target) : target) as Partial<URL>;
  const defaults = (typeof options === 'object' && options !== null ? options : {}) as { protocol?: string };
  return {
    protocol: url.protocol || defaults.protocol || 'https:',
    hostname: url.hostname || url.host || 'localhost',
    port: url.port ? Number(url.port) : undefined,
  };
}

/** Whether undici holds a session: it counts the streams on it. The symbol is the same from version 5 to 8. */
function isOfUndici(session: http2.ClientHttp2Session): boolean {
  return Object.getOwnPropertySymbols(session).some(({ description }) => description === 'open streams');
}
