/**
 * Hands an answer to its reader chunk by chunk, and gives up one that does not read.
 *
 * What is not taken yet stands in chunks that all readers of a scrape share, so that many slow ones hold one scrape. But
 * each may hold another; beyond a bound those of the oldest are cut off.
 */
import type { ServerResponse } from 'node:http';
import { TimeSlice } from '../../runtime/time-slice';

/** A reader that takes nothing for so long is gone; Prometheus itself gives up after 10 s by default. */
const STALL_LIMIT_MS = 10_000;
/** Of answers that are being read beside the newest one. */
const HELD_BYTES = 64 * 1024 * 1024;

/** Methods of a response: its own, or what an application has not replaced. */
export interface Methods {
  writeHead(this: ServerResponse, status: number, headers: Readonly<Record<string, string | number>>): unknown;
  write(this: ServerResponse, chunk: Buffer): boolean;
  end(this: ServerResponse, chunk?: Buffer): unknown;
}

/** Answers that are being read, in the order of their beginning, with what cuts off their readers. */
const underWay = new Map<readonly Buffer[], Set<() => void>>();

/**
 * Answers a request that nobody has answered yet.
 * @param chunks not to be changed any more
 * @param onWaiting called when what was written may still have to wait for its reader
 */
export function send(
  response: ServerResponse,
  methods: Methods,
  status: number,
  headers: Readonly<Record<string, string>>,
  chunks: readonly Buffer[],
  onWaiting: () => void = () => undefined,
): void {
  methods.writeHead.call(response, status, { ...headers, 'Content-Length': bytesOf(chunks) });
  const release = () => {
    clearTimeout(limit);
    letGo(chunks, cutOff);
  };
  // an answer behind another one on the same connection has no socket yet, and may never be closed
  const cutOff = () => {
    release();
    response.req.socket.destroy();
  };
  const limit = setTimeout(cutOff, STALL_LIMIT_MS).unref();
  response.once('close', release);
  if (chunks.length === 0 || response.req.method === 'HEAD') {
    methods.end.call(response);
    return;
  }
  hold(chunks, cutOff);
  sendInTurns(response, methods, chunks, limit, onWaiting);
}

function sendInTurns(
  response: ServerResponse,
  methods: Methods,
  chunks: readonly Buffer[],
  limit: NodeJS.Timeout,
  onWaiting: () => void,
): void {
  const slice = new TimeSlice();
  let next = 0;
  const goOn = () => {
    if (response.destroyed) return;
    limit.refresh();
    const chunk = chunks[next++] as Buffer;
    if (next === chunks.length) methods.end.call(response, chunk);
    else if (methods.write.call(response, chunk)) slice.next(goOn);
    // a reader that is fast would have the loop to itself: what it drains is told before anything else runs
    else response.once('drain', () => (slice.isOver() ? slice.next(goOn) : goOn()));
    onWaiting();
  };
  goOn();
}

function hold(chunks: readonly Buffer[], cutOff: () => void): void {
  underWay.set(chunks, (underWay.get(chunks) ?? new Set()).add(cutOff));
  const earlier = [...underWay].filter(([other]) => other !== chunks);
  let held = earlier.reduce((sum, [other]) => sum + bytesOf(other), 0);
  for (const [oldest, readers] of earlier) {
    if (held <= HELD_BYTES) return;
    held -= bytesOf(oldest);
    for (const cutOffReader of [...readers]) cutOffReader();
  }
}

function letGo(chunks: readonly Buffer[], cutOff: () => void): void {
  const readers = underWay.get(chunks);
  readers?.delete(cutOff);
  if (readers?.size === 0) underWay.delete(chunks);
}

function bytesOf(chunks: readonly Buffer[]): number {
  return chunks.reduce((sum, { length }) => sum + length, 0);
}
