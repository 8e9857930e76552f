/**
 * Sends an answer chunk by chunk, and disconnects a client that does not read.
 *
 * All clients of one scrape share its chunks, so that many slow ones hold one scrape in memory. Clients of different
 * scrapes hold one each; beyond a bound the clients of the oldest are disconnected. The time slices are shared too:
 * sixty clients with slices of their own would keep the application waiting for sixty slices in a row.
 */
import type { ServerResponse } from 'node:http';
import { TimeSlice } from '../../runtime/time-slice';

/** A client that reads nothing for so long is disconnected; Prometheus gives up after 10 s by default. */
const STALL_LIMIT_MS = 10_000;
/** Bytes of answers being sent, without the newest one. */
const HELD_BYTES = 64 * 1024 * 1024;

/**
 * Methods of a response: its own, or those of the prototype, which an application may have replaced on the response.
 */
export interface Methods {
  writeHead(this: ServerResponse, status: number, headers: Readonly<Record<string, string | number>>): unknown;
  write(this: ServerResponse, chunk: Buffer): boolean;
  end(this: ServerResponse, chunk?: Buffer): unknown;
}

/**
 * Answers being sent, oldest first, with the functions that disconnect their clients. One for the whole process: the
 * bound holds for our own server and the application's together, and an answer outlives the exporter that began it.
 */
const sending = new Map<readonly Buffer[], Set<() => void>>();

/** One for all answers, with those whose next chunk waits for a later one. */
const slice = new TimeSlice();
const waiting: (() => void)[] = [];

/**
 * Answers a request that is not answered yet.
 * @param chunks not to be changed any more
 * @param onWaiting called when bytes were written that the client may not have read yet
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
    forget(chunks, disconnect);
  };
  // a pipelined answer has no socket yet and may never emit close
  const disconnect = () => {
    release();
    response.req.socket.destroy();
  };
  const limit = setTimeout(disconnect, STALL_LIMIT_MS).unref();
  response.once('close', release);
  if (chunks.length === 0 || response.req.method === 'HEAD') {
    methods.end.call(response);
    return;
  }
  hold(chunks, disconnect);
  sendInSlices(response, methods, chunks, limit, onWaiting);
}

function sendInSlices(
  response: ServerResponse,
  methods: Methods,
  chunks: readonly Buffer[],
  limit: NodeJS.Timeout,
  onWaiting: () => void,
): void {
  let next = 0;
  const sendNext = () => {
    if (response.destroyed) return;
    limit.refresh();
    const chunk = chunks[next++] as Buffer;
    if (next === chunks.length) methods.end.call(response, chunk);
    else if (methods.write.call(response, chunk)) wait(sendNext);
    // a fast reader emits drain before any other event runs and would keep the loop to itself
    else response.once('drain', () => (slice.isOver() || waiting.length > 0 ? wait(sendNext) : sendNext()));
    onWaiting();
  };
  sendNext();
}

/** Sends the next chunk in a later slice. */
function wait(sendNext: () => void): void {
  waiting.push(sendNext);
  if (waiting.length === 1) slice.next(sendWaiting);
}

function sendWaiting(): void {
  // those that are added meanwhile wait for the next slice
  for (let turns = waiting.length; turns > 0 && !slice.isOver(); turns--) {
    const sendNext = waiting[0];
    sendNext?.();
    waiting.shift();
  }
  if (waiting.length > 0) slice.next(sendWaiting);
}

function hold(chunks: readonly Buffer[], disconnect: () => void): void {
  sending.set(chunks, (sending.get(chunks) ?? new Set()).add(disconnect));
  const earlier = [...sending].filter(([other]) => other !== chunks);
  let held = earlier.reduce((sum, [other]) => sum + bytesOf(other), 0);
  for (const [oldest, readers] of earlier) {
    if (held <= HELD_BYTES) return;
    held -= bytesOf(oldest);
    for (const disconnectReader of [...readers]) disconnectReader();
  }
}

function forget(chunks: readonly Buffer[], disconnect: () => void): void {
  const readers = sending.get(chunks);
  readers?.delete(disconnect);
  if (readers?.size === 0) sending.delete(chunks);
}

function bytesOf(chunks: readonly Buffer[]): number {
  return chunks.reduce((sum, { length }) => sum + length, 0);
}
