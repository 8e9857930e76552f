/**
 * Decompresses a copy of a compressed body, as far as the reader wants it. Whoever sends a body may have made it to cost as
 * much as possible: a few bytes become gigabytes. So what is cheap whatever it holds is decompressed at once, which costs
 * less than handing it to another thread, and the rest one after the other in the background.
 */
import type { BrotliOptions } from 'node:zlib';
import { readBrotliHeader, zstdWindowBytes } from './compression-headers';
import { type DecompressionStream, enqueue } from './decompression-queue';
import { TimeAllowance } from './time-allowance';
import { reportUnread } from './unread-bodies';

/**
 * To their end; in part, as the rest is too long; not, as they are faulty or no more was wanted, and will not be; not at
 * once, as that is too expensive.
 */
export type Decompressed = 'whole' | 'cut' | 'no' | 'later';

/**
 * Decompresses bytes and hands them on chunk by chunk.
 * @param onBytes called with each chunk; returns whether more is wanted
 * @param onDone called once: how far the bytes could be decompressed
 */
export type Decompress = (
  encoding: string,
  compressed: Uint8Array,
  onBytes: (bytes: Uint8Array) => boolean,
  onDone: (outcome: Decompressed) => void,
) => void;

type Zlib = typeof import('node:zlib');

interface Decompressor {
  create(): DecompressionStream;
  /** Throws where the result would be longer than what is decompressed at once. */
  atOnce(compressed: Uint8Array): Uint8Array;
  /** Whether the text may be far longer than is wanted before any of it is given out: with {@link atOnce}, for too long. */
  readonly isUnbounded: boolean;
}

/** From Node 22.15 on; the types are those of Node 20. */
interface Zstd {
  createZstdDecompress?: Zlib['createGunzip'];
  zstdDecompressSync?: Zlib['gunzipSync'];
}

/** `ZSTD_e_flush` and `ZSTD_d_windowLogMax`, which the constants of Node 20 do not have. */
const ZSTD_FLUSH = 1;
const ZSTD_WINDOW_LOG_MAX = 100;
/** The largest that HTTP allows. @see RFC 9659, section 3 */
const MAX_ZSTD_WINDOW_BYTES = 8 * 1024 * 1024;

/**
 * Of a Brotli body: the usual window of encoders. It is filled before the decoder gives any output, which takes 8 ms; the
 * next larger ones, which encoders use where they are told to, take 16 and 35 ms, and as many MiB.
 */
const MAX_BROTLI_WINDOW_BYTES = 4 * 1024 * 1024;

/**
 * Compressed bytes that are decompressed at once. The most expensive ones, which describe one Huffman code after the other
 * and no text, take 0.12 ms for a KiB; those of a JSON text 0.01 ms.
 */
const AT_ONCE_BYTES = 8 * 1024;
/** What they may become, in 0.2 ms; of Brotli, whose header must tell it, in 0.7 ms. */
const AT_ONCE_TEXT_BYTES = 128 * 1024;

/**
 * Time of the processor, on average: what handing a body to the background takes of the event loop at least; JSON of 20 KiB
 * takes 0.05 ms.
 */
const AT_ONCE_MS = 0.15;
const AT_ONCE_BURST_MS = 50;
const allowance = new TimeAllowance(AT_ONCE_MS, AT_ONCE_BURST_MS);

/** What becomes too long at once is tried again with its first quarter, and so on: 1.4 ms at worst, all together. */
const MAX_TRIES = 4;
const NEXT_TRY = 1 / 4;

/** A stream gives its output in chunks of so many bytes: of most bodies, all that is read of them. */
const CHUNK_BYTES = 64 * 1024;

/** Low four bits of the first byte of a zlib stream: the method "deflate". Raw streams are also sent as "deflate". */
const ZLIB_METHOD = 8;

const BRACE = 0x7b;
/** What may stand behind the brace of an object: a quote, a brace, white space. */
const BEHIND_BRACE: ReadonlySet<number> = new Set([0x22, 0x7d, 0x20, 0x0a, 0x0d, 0x09]);

/**
 * Whether a body that begins so is the plain text of an object, whatever its headers say. Compressed, no JSON begins so: in
 * Brotli these bits are an empty stream, in a raw deflate stream a character that is not ASCII, and gzip, zlib and zstd
 * begin with other bytes.
 */
export function isPlainObject(start: string | Uint8Array): boolean {
  if (start.length < 2) return false;
  if (typeof start === 'string') return start.charCodeAt(0) === BRACE && BEHIND_BRACE.has(start.charCodeAt(1));
  return start[0] === BRACE && BEHIND_BRACE.has(start[1] as number);
}

/** Whether a Content-Encoding leaves the bytes as they are. */
export function isIdentity(encoding: string | undefined): boolean {
  return encoding === undefined || encoding === '' || encoding === 'identity';
}

/** Decompresses before it returns what is cheap, the rest in the background; what there is no room for is not read. */
export const decompress: Decompress = (encoding, compressed, onBytes, onDone) => {
  const decompressor = decompressorFor(encoding, compressed);
  if (isCheap(decompressor) && compressed.length <= AT_ONCE_BYTES) {
    const result = attempt(decompressor, compressed);
    if (result instanceof Uint8Array) onBytes(result);
    if (result !== 'too long') {
      onDone(result === 'faulty' ? 'no' : 'whole');
      return;
    }
  }
  decompressLater(decompressor, compressed, onBytes, onDone);
};

/** Decompresses in the background what {@link decompressAtOnce} has left. */
export const decompressInBackground: Decompress = (encoding, compressed, onBytes, onDone) =>
  decompressLater(decompressorFor(encoding, compressed), compressed, onBytes, onDone);

function decompressLater(
  decompressor: Decompressor | 'refused' | undefined,
  compressed: Uint8Array,
  onBytes: (bytes: Uint8Array) => boolean,
  onDone: (outcome: Decompressed) => void,
): void {
  if (decompressor === undefined || decompressor === 'refused') {
    if (decompressor === 'refused') reportUnread('window');
    onDone('no');
    return;
  }
  enqueue({
    compressed,
    isExpensive: decompressor.isUnbounded,
    create: decompressor.create,
    onBytes,
    onDone: (isWhole) => onDone(isWhole ? 'whole' : 'no'),
  });
}

/**
 * Decompresses before it returns, where the result cannot be waited for: what would take long is decompressed in part, and
 * not at all where that takes long, too. A body that is not read is not reported: for metrics it may be read later.
 */
export const decompressAtOnce: Decompress = (encoding, compressed, onBytes, onDone) => {
  const decompressor = decompressorFor(encoding, compressed);
  if (!isCheap(decompressor)) {
    onDone(decompressor === undefined ? 'no' : 'later');
    return;
  }
  let length = Math.min(compressed.length, AT_ONCE_BYTES);
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const isWhole = length === compressed.length;
    const result = attempt(decompressor, compressed.subarray(0, length));
    if (result === 'faulty') {
      // of a longer body, the background also reads what is before the fault
      onDone(isWhole ? 'no' : 'later');
      return;
    }
    if (result !== 'too long') {
      onBytes(result);
      onDone(isWhole ? 'whole' : 'cut');
      return;
    }
    length = Math.ceil(length * NEXT_TRY);
  }
  onDone('later');
};

function isCheap(decompressor: Decompressor | 'refused' | undefined): decompressor is Decompressor {
  return decompressor !== undefined && decompressor !== 'refused' && !decompressor.isUnbounded;
}

/** @returns "too long" also where the time for it is used up */
function attempt(decompressor: Decompressor, compressed: Uint8Array): Uint8Array | 'too long' | 'faulty' {
  try {
    return allowance.spend(() => decompressor.atOnce(compressed)) ?? 'too long';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'too long' : 'faulty';
  }
}

/**
 * @param encoding a Content-Encoding in lower case
 * @returns undefined for an encoding that this runtime cannot decompress; "refused" where the body asks for a window that
 *   is too large
 */
function decompressorFor(encoding: string, compressed: Uint8Array): Decompressor | 'refused' | undefined {
  // with the first compressed body: many a service never sees one
  const zlib = require('node:zlib') as Zlib & Zstd;
  const { Z_SYNC_FLUSH, BROTLI_OPERATION_FLUSH } = zlib.constants;
  switch (encoding) {
    case 'gzip':
    case 'x-gzip':
      return decompressor(zlib.createGunzip, zlib.gunzipSync, { finishFlush: Z_SYNC_FLUSH });
    case 'deflate':
      return ((compressed[0] ?? 0) & 0x0f) === ZLIB_METHOD
        ? decompressor(zlib.createInflate, zlib.inflateSync, { finishFlush: Z_SYNC_FLUSH })
        : decompressor(zlib.createInflateRaw, zlib.inflateRawSync, { finishFlush: Z_SYNC_FLUSH });
    case 'br': {
      const header = readBrotliHeader(compressed);
      if (header === undefined) return undefined;
      const { windowBytes, textBytes = windowBytes } = header;
      if (Math.min(windowBytes, textBytes) > MAX_BROTLI_WINDOW_BYTES) return 'refused';
      const options = { finishFlush: BROTLI_OPERATION_FLUSH };
      const isUnbounded = Math.min(windowBytes, textBytes) > AT_ONCE_TEXT_BYTES;
      return decompressor(zlib.createBrotliDecompress, zlib.brotliDecompressSync, options, isUnbounded);
    }
    case 'zstd': {
      const { createZstdDecompress, zstdDecompressSync } = zlib;
      if (createZstdDecompress === undefined || zstdDecompressSync === undefined) return undefined;
      if ((zstdWindowBytes(compressed) ?? 0) > MAX_ZSTD_WINDOW_BYTES) return 'refused';
      // of later frames as well
      const params = { [ZSTD_WINDOW_LOG_MAX]: Math.log2(MAX_ZSTD_WINDOW_BYTES) };
      return decompressor(createZstdDecompress, zstdDecompressSync, { finishFlush: ZSTD_FLUSH, params });
    }
    default:
      return undefined;
  }
}

/** @param options with the `finishFlush` by which a body that was cut, by the bound or by the sender, goes as far as it does */
function decompressor(
  create: (options: object) => DecompressionStream,
  atOnce: (compressed: Uint8Array, options: object) => Uint8Array,
  options: Pick<BrotliOptions, 'finishFlush' | 'params'>,
  isUnbounded = false,
): Decompressor {
  return {
    create: () => create({ ...options, chunkSize: CHUNK_BYTES }),
    atOnce: (compressed) => atOnce(compressed, { ...options, maxOutputLength: AT_ONCE_TEXT_BYTES }),
    isUnbounded,
  };
}
