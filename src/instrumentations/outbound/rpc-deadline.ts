/**
 * Until when a remote method may take: its clients name the time to the partner, and give the call up by themselves when it
 * is over, in the same way as a call that the application gives up.
 * @see https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#requests, https://connectrpc.com/docs/protocol
 */
import type { OutgoingHttpHeaders } from 'node:http2';

const TIMEOUT = /^(\d{1,10})([HMSmun])$/;
const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };
/** What is sent is rounded, and the timers of clients are not exact. */
const EARLY_MS = 20;

/**
 * @param headers of the request, as sent
 * @returns milliseconds after which a call that its client gives up has timed out; undefined where it names no time
 */
export function rpcTimeoutMs(headers: OutgoingHttpHeaders): number | undefined {
  const parts = TIMEOUT.exec(String(headers['grpc-timeout'] ?? ''));
  const connect = headers['connect-timeout-ms'];
  if (parts === null && connect === undefined) return undefined;
  const timeoutMs = parts === null ? Number(connect) : Number(parts[1]) * (UNIT_MS[parts[2] as string] as number);
  return Number.isFinite(timeoutMs) ? timeoutMs - EARLY_MS : undefined;
}
