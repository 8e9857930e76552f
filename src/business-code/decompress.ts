/**
 * Decompresses a copy of a compressed body, as far as the reader needs it.
 */
import type zlib from 'node:zlib';

/** `whole`: to the end; `cut`: in part, as the rest is too long; `no`: faulty, or no more was wanted. */
export type Decompressed = 'whole' | 'cut' | 'no';

/**
 * Decompresses bytes and passes the result on in chunks.
 * @param onBytes called with each chunk; returns whether more is wanted
 * @param onDone called once: how far the bytes could be decompressed
 * @param wantedBytes the most that will be used
 */
export type Decompress = (
  encoding: string,
  compressed: Uint8Array,
  onBytes: (bytes: Uint8Array) => boolean,
  onDone: (outcome: Decompressed) => void,
  wantedBytes: number,
) => void;

interface Decompressor {
  create(): zlib.Gunzip | zlib.Inflate | zlib.InflateRaw | zlib.BrotliDecompress;
  /** Throws where the result would be longer. */
  atOnce(compressed: Uint8Array, maxOutputLength: number): Uint8Array;
}

/** From Node 22.15 on; the types are those of Node 20. */
interface Zstd {
  createZstdDecompress?: typeof zlib.createGunzip;
  zstdDecompressSync?: typeof zlib.gunzipSync;
}

/** `ZSTD_e_flush`, which the constants of Node 20 do not have. */
const ZSTD_FLUSH = 1;

/** A result at once may be this many times longer than wanted: a larger factor makes fewer attempts, each of them longer. */
const ROOM = 4;

/** Low four bits of the first byte of a zlib stream: the method "deflate". Raw streams are also sent as "deflate". */
const ZLIB_METHOD = 8;

const BRACE = 0x7b;
/** What may follow the brace of an object: a quote, a brace, white space. */
const AFTER_BRACE: ReadonlySet<number> = new Set([0x22, 0x7d, 0x20, 0x0a, 0x0d, 0x09]);

/**
 * Whether a body is the plain text of a JSON object, judged by its first two bytes, whatever its headers say.
 *
 * No compressed body starts with these bytes. gzip, zlib and zstd start with others. Read as Brotli they are an empty
 * stream; read as raw deflate they decode to a character that is not ASCII, with which no JSON begins.
 */
export function isPlainObject(start: string | Uint8Array): boolean {
  if (start.length < 2) return false;
  if (typeof start === 'string') return start.charCodeAt(0) === BRACE && AFTER_BRACE.has(start.charCodeAt(1));
  return start[0] === BRACE && AFTER_BRACE.has(start[1] as number);
}

/**
 * @param encoding a Content-Encoding, any case
 * @returns undefined for an encoding that this version of Node cannot decompress
 */
function decompressorFor(encoding: string, firstByte: number): Decompressor | undefined {
  // loaded with the first compressed body: many services never see one
  const zlib = require('node:zlib') as typeof import('node:zlib') & Zstd;
  const { constants, createZstdDecompress, zstdDecompressSync } = zlib;
  switch (encoding) {
    case 'gzip':
    case 'x-gzip':
      return decompressor(zlib.createGunzip, zlib.gunzipSync, constants.Z_SYNC_FLUSH);
    case 'deflate':
      return (firstByte & 0x0f) === ZLIB_METHOD
        ? decompressor(zlib.createInflate, zlib.inflateSync, constants.Z_SYNC_FLUSH)
        : decompressor(zlib.createInflateRaw, zlib.inflateRawSync, constants.Z_SYNC_FLUSH);
    case 'br':
      return decompressor(zlib.createBrotliDecompress, zlib.brotliDecompressSync, constants.BROTLI_OPERATION_FLUSH);
    case 'zstd':
      return (
        createZstdDecompress && zstdDecompressSync && decompressor(createZstdDecompress, zstdDecompressSync, ZSTD_FLUSH)
      );
    default:
      return undefined;
  }
}

/** @param finishFlush the flush mode in which a body that was cut is decompressed as far as it goes */
function decompressor(
  create: (options: object) => ReturnType<Decompressor['create']>,
  atOnce: (compressed: Uint8Array, options: object) => Uint8Array,
  finishFlush: number,
): Decompressor {
  return {
    create: () => create({ finishFlush }),
    atOnce: (compressed, maxOutputLength) => atOnce(compressed, { finishFlush, maxOutputLength }),
  };
}

/** Whether a Content-Encoding leaves the bytes as they are. */
export function isIdentity(encoding: string | undefined): boolean {
  return encoding === undefined || encoding === '' || encoding === 'identity';
}

/** Decompresses off the main thread. */
export const decompress: Decompress = (encoding, compressed, onBytes, onDone) => {
  const stream = decompressorFor(encoding, compressed[0] ?? 0)?.create();
  if (stream === undefined) {
    onDone('no');
    return;
  }
  let isDone = false;
  const done = (whole: boolean) => {
    if (isDone) return;
    isDone = true;
    onDone(whole ? 'whole' : 'no');
    stream.destroy();
  };
  stream.on('data', (bytes: Buffer) => {
    if (!isDone && !onBytes(bytes)) done(false);
  });
  stream.on('end', () => done(true));
  stream.on('error', () => done(false));
  stream.end(compressed);
};

/**
 * Decompresses before it returns, for callers that cannot wait. zlib gives nothing of a result that is too long, so the
 * part of the compressed body whose result fits is found by halving.
 */
export const decompressAtOnce: Decompress = (encoding, compressed, onBytes, onDone, wantedBytes) => {
  const decompressor = decompressorFor(encoding, compressed[0] ?? 0);
  let fits: Uint8Array | undefined;
  let isFaulty = decompressor === undefined;
  let low = 0;
  let high = compressed.length;
  for (let length = high; decompressor !== undefined && !isFaulty && low < high; length = (low + high) >>> 1) {
    try {
      fits = decompressor.atOnce(compressed.subarray(0, length), wantedBytes * ROOM);
      low = length;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') isFaulty = true;
      high = length;
    }
    if (low + 1 >= high || (fits !== undefined && fits.length > wantedBytes)) break;
  }
  if (fits !== undefined) onBytes(fits);
  if (isFaulty || fits === undefined) onDone('no');
  else onDone(low === compressed.length ? 'whole' : 'cut');
};
