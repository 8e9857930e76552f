/** Which of the fixed words stands for the failure of a partner call that brought no status, or no whole response. */
import type { PartnerError } from '../../metrics/measurement';

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
  ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'reset'],
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
]);

/** Failed handshakes and refused certificates. @see https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const TLS =
  /^(ERR_(TLS|SSL|OSSL)|CERT_|CRL_|UNABLE_TO_|ERROR_IN_C|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA$|INVALID_PURPOSE$|PATH_LENGTH_EXCEEDED$|HOSTNAME_MISMATCH$)/;

/** What the error itself does not tell. */
export interface FailureContext {
  /** Whether the request had reported a time-out before. */
  readonly hasTimedOut: boolean;
  /** Whether the application had destroyed the request when the error was emitted. */
  readonly isDestroyed: boolean;
}

/** @param error what the request emitted; undefined when it closed without */
export function partnerErrorOf(error: unknown, context: FailureContext): PartnerError {
  const word = wordOf(error, context.isDestroyed);
  // given up after an idle time; what failed otherwise later on failed by that
  return word === 'aborted' && context.hasTimedOut ? 'timeout' : word;
}

function wordOf(error: unknown, isDestroyed: boolean): PartnerError {
  if (error === undefined || error === null) return 'aborted';
  const { code, name, syscall, cause } = error as { code?: unknown; name?: string; syscall?: string; cause?: unknown };
  if (name === 'TimeoutError') return 'timeout';
  if (name === 'AbortError') return (cause as Error | undefined)?.name === 'TimeoutError' ? 'timeout' : 'aborted';
  // Node's "socket hang up" stands for the peer that hung up and for the application that destroyed the request
  if (isDestroyed && syscall === undefined && code === 'ECONNRESET') return 'aborted';
  // the operating system's, or how axios tells of its own time-out
  if (code === 'ECONNABORTED') return syscall === undefined ? 'timeout' : 'reset';
  // a stream that waited for its connection tells only in its cause why there was none
  if (code === 'ERR_HTTP2_STREAM_CANCEL') return cause instanceof Error ? wordOf(cause, isDestroyed) : 'aborted';
  const text = String(code);
  const word = WORDS.get(text);
  if (word !== undefined) return word;
  if (TLS.test(text)) return 'tls';
  if (error instanceof AggregateError && error.errors.length > 0) return wordOf(error.errors.at(-1), isDestroyed);
  // an error of the application's own
  return isDestroyed ? 'aborted' : 'other';
}
