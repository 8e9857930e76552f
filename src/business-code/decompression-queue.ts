/**
 * Decompresses in the background, on the thread pool that the application's own files, names and ciphers wait for as well:
 * a long body is decompressed alone, a few short ones at a time, and no more than a few wait.
 */
import type zlib from 'node:zlib';
import { reportUnread } from './unread-bodies';

/**
 * Compressed bytes of the bodies that are decompressed at a time, which take the pool 8 ms at worst. A body comes to its end
 * in as many turns of the event loop as it has steps, so that one at a time would be too few for a busy application.
 */
const MAX_RUNNING_BYTES = 64 * 1024;

/** Bodies that wait; a further one is not read. */
export const MAX_WAITING = 64;

/** What is given to a stream in one step, which it may turn into many times as much before it gives any output. */
const STEP_BYTES = 16 * 1024;

export type DecompressionStream = zlib.Gunzip | zlib.Inflate | zlib.InflateRaw | zlib.BrotliDecompress;

export interface Decompression {
  readonly compressed: Uint8Array;
  /** Whether it may take as long as all that is decompressed at a time, however short it is. */
  readonly isExpensive: boolean;
  /** Called when it is this one's turn. */
  create(): DecompressionStream;
  /** @returns whether more is wanted */
  onBytes(bytes: Uint8Array): boolean;
  /** Called once. @param isWhole whether everything was decompressed */
  onDone(isWhole: boolean): void;
}

const running = new Set<Decompression>();
let runningBytes = 0;
const waiting: Decompression[] = [];

/** Decompresses when there is room beside those before it; reports a body that cannot even wait as unread. */
export function enqueue(decompression: Decompression): void {
  if (waiting.length >= MAX_WAITING) {
    reportUnread('queue');
    decompression.onDone(false);
    return;
  }
  // before the listener of a member, which hands over what was measured
  if (running.size === 0) process.prependListener('exit', giveUp);
  waiting.push(decompression);
  runWaiting();
}

function runWaiting(): void {
  for (let next = waiting[0]; next !== undefined && hasRoom(next); next = waiting[0]) {
    waiting.shift();
    run(next);
  }
}

function hasRoom(decompression: Decompression): boolean {
  return running.size === 0 || runningBytes + shareOf(decompression) <= MAX_RUNNING_BYTES;
}

function shareOf({ isExpensive, compressed }: Decompression): number {
  return isExpensive ? MAX_RUNNING_BYTES : compressed.length;
}

function run(decompression: Decompression): void {
  running.add(decompression);
  runningBytes += shareOf(decompression);
  try {
    decompress(decompression, (isWhole) => finish(decompression, isWhole));
  } catch {
    // there is no memory for a stream
    finish(decompression, false);
  }
}

function decompress(decompression: Decompression, onEnd: (isWhole: boolean) => void): void {
  const { compressed } = decompression;
  const stream = decompression.create();
  stream.on('data', (bytes: Buffer) => {
    if (!running.has(decompression) || decompression.onBytes(bytes)) return;
    stream.destroy();
    onEnd(false);
  });
  stream.on('end', () => onEnd(true));
  stream.on('error', () => onEnd(false));
  let at = 0;
  for (; at + STEP_BYTES < compressed.length; at += STEP_BYTES) stream.write(compressed.subarray(at, at + STEP_BYTES));
  stream.end(compressed.subarray(at));
}

/** The first call for each counts. */
function finish(decompression: Decompression, isWhole: boolean): void {
  if (!running.delete(decompression)) return;
  runningBytes -= shareOf(decompression);
  runWaiting();
  if (running.size === 0) process.off('exit', giveUp);
  decompression.onDone(isWhole);
}

/** The process ends: what was measured is recorded without a code rather than lost. */
function giveUp(): void {
  const unread = [...running, ...waiting.splice(0)];
  running.clear();
  for (const decompression of unread) {
    reportUnread('exit');
    decompression.onDone(false);
  }
}
