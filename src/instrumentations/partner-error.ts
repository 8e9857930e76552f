/** Which of the fixed words stands for the failure of a partner call that brought no status. */
import type { PartnerError } from '../core/measurement';

const WORDS: ReadonlyMap<string, PartnerError> = new Map([
  ['ECONNREFUSED', 'refused'],
  ['ENOTFOUND', 'dns'],
  ['EAI_AGAIN', 'dns'],
  ['EAI_NODATA', 'dns'],
  ['EAI_FAIL', 'dns'],
  ['EAI_NONAME', 'dns'],
  ['ENODATA', 'dns'],
  ['ESERVFAIL', 'dns'],
  ['ETIMEOUT', 'dns'], // c-ares; the operating system's is ETIMEDOUT
  ['ETIMEDOUT', 'timeout'],
  ['ESOCKETTIMEDOUT', 'timeout'],
  ['ERR_SOCKET_CONNECTION_TIMEOUT', 'timeout'],
  ['UND_ERR_CONNECT_TIMEOUT', 'timeout'],
  ['UND_ERR_HEADERS_TIMEOUT', 'timeout'],
  ['UND_ERR_BODY_TIMEOUT', 'timeout'],
  ['UND_ERR_SOCKET', 'reset'],
  ['UND_ERR_INFO', 'reset'], // a stream or connection of HTTP/2 that the peer has ended
  ['UND_ERR_ABORTED', 'aborted'],
  ['UND_ERR_ABORT', 'aborted'],
  ['UND_ERR_DESTROYED', 'aborted'],
  ['UND_ERR_CLOSED', 'aborted'],
  ['UND_ERR_PRX_TLS', 'tls'],
  ['ERR_CANCELED', 'aborted'],
  ['ABORT_ERR', 'aborted'],
  ['ECONNRESET', 'reset'],
  ['EPIPE', 'reset'],
  ['ERR_HTTP2_STREAM_ERROR', 'reset'],
  ['ERR_HTTP2_SESSION_ERROR', 'reset'],
  ['ERR_HTTP2_GOAWAY_SESSION', 'reset'],
  ['EPROTO', 'tls'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'tls'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls'],
  ['UNABLE_TO_GET_ISSUER_CERT', 'tls'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'tls'],
  ['HOSTNAME_MISMATCH', 'tls'],
]);

/** What the error itself does not tell. */
export interface FailureContext {
  /** Whether the request had reported a time-out before. */
  readonly hasTimedOut: boolean;
  /** Whether the application had destroyed the request when the error was emitted. */
  readonly isDestroyed: boolean;
}

/** @param error what the request emitted; undefined when it closed without */
export function partnerErrorOf(error: unknown, context: FailureContext): PartnerError {
  if (context.hasTimedOut) return 'timeout';
  if (error === undefined || error === null) return 'aborted';
  const { code, name, syscall, cause } = error as { code?: unknown; name?: string; syscall?: string; cause?: unknown };
  if (name === 'TimeoutError') return 'timeout';
  if (name === 'AbortError') return (cause as Error | undefined)?.name === 'TimeoutError' ? 'timeout' : 'aborted';
  // Node's "socket hang up" stands for the peer that hung up and for the application that destroyed the request
  if (context.isDestroyed && syscall === undefined && (code === 'ECONNRESET' || code === undefined)) return 'aborted';
  // a stream that waited for its connection tells only in its cause why there was none
  if (code === 'ERR_HTTP2_STREAM_CANCEL') return cause instanceof Error ? partnerErrorOf(cause, context) : 'aborted';
  const text = String(code);
  const word = WORDS.get(text);
  if (word !== undefined) return word;
  if (error instanceof AggregateError && error.errors.length > 0) return partnerErrorOf(error.errors.at(-1), context);
  return /^(ERR_TLS|ERR_SSL|CERT_|ERR_OSSL|CRL_)/.test(text) ? 'tls' : 'other';
}
