/**
 * Unpacks a copy of a compressed body, off the main thread, as far as the reader wants it.
 */
import zlib from 'node:zlib';

type Factory = () => zlib.Gunzip | zlib.Inflate | zlib.InflateRaw | zlib.BrotliDecompress;

// a body that was cut, by the bound or by the sender, is unpacked as far as it goes
const PARTIAL = { finishFlush: zlib.constants.Z_SYNC_FLUSH };
const PARTIAL_BROTLI = { finishFlush: zlib.constants.BROTLI_OPERATION_FLUSH };

/** `ZSTD_e_flush`, which the constants of Node 20 do not have. */
const PARTIAL_ZSTD = { finishFlush: 1 };
/** From Node 22.15 on; the types are those of Node 20. */
const createZstd = (zlib as { createZstdDecompress?: (options?: object) => zlib.Gunzip }).createZstdDecompress;

/** Low four bits of the first byte of a zlib stream: the method "deflate". Raw streams are also sent as "deflate". */
const ZLIB_METHOD = 8;

/**
 * @param encoding a Content-Encoding, any case
 * @returns undefined for an encoding that this runtime cannot unpack
 */
function factoryFor(encoding: string, firstByte: number): Factory | undefined {
  switch (encoding) {
    case 'gzip':
    case 'x-gzip':
      return () => zlib.createGunzip(PARTIAL);
    case 'deflate':
      return (firstByte & 0x0f) === ZLIB_METHOD
        ? () => zlib.createInflate(PARTIAL)
        : () => zlib.createInflateRaw(PARTIAL);
    case 'br':
      return () => zlib.createBrotliDecompress(PARTIAL_BROTLI);
    case 'zstd':
      return createZstd && (() => createZstd(PARTIAL_ZSTD));
    default:
      return undefined;
  }
}

/** Whether a Content-Encoding leaves the bytes as they are. */
export function isIdentity(encoding: string | undefined): boolean {
  return encoding === undefined || encoding === '' || encoding === 'identity';
}

/**
 * Unpacks bytes and hands them on piece by piece.
 * @param onBytes called with each piece; returns whether more is wanted
 * @param onDone called once: whether the stream could be unpacked to its end
 */
export function decompress(
  encoding: string,
  packed: Uint8Array,
  onBytes: (bytes: Uint8Array) => boolean,
  onDone: (whole: boolean) => void,
): void {
  const stream = factoryFor(encoding, packed[0] ?? 0)?.();
  if (stream === undefined) {
    onDone(false);
    return;
  }
  let isDone = false;
  const done = (whole: boolean) => {
    if (isDone) return;
    isDone = true;
    onDone(whole);
    stream.destroy();
  };
  stream.on('data', (bytes: Buffer) => {
    if (!isDone && !onBytes(bytes)) done(false);
  });
  stream.on('end', () => done(true));
  stream.on('error', () => done(false));
  stream.end(packed);
}
