/**
 * Reads from the first bytes of a compressed body how much memory decompressing it can take, before any of it is taken.
 */

const NIBBLE_BITS = 4;
/** In the header of a Brotli block: no size, as the block holds metadata alone. */
const METADATA = 3;
const SMALLEST_NIBBLES = 4;
/** Blocks that are not compressed, by which encoders begin where there is nothing to gain, and that are followed. */
const MAX_PLAIN_BLOCKS = 4;

/** Of zstd, as a number of four bytes, least significant first. */
const ZSTD_MAGIC = 0xfd2fb528;
const ZSTD_HEADER_BYTES = 4;
const SINGLE_SEGMENT = 0x20;
const MIN_ZSTD_WINDOW_LOG = 10;

export interface BrotliHeader {
  /** The sliding window that the stream may refer to; a decoder may fill all of it before it gives any output. */
  readonly windowBytes: number;
  /** Length of the whole text; undefined where the header of the first compressed block leaves it open. */
  readonly textBytes: number | undefined;
}

/**
 * @returns undefined where the bytes begin no stream of this format; a window over 16 MiB is none
 * @see RFC 7932, sections 9.1 and 9.2
 */
export function readBrotliHeader(compressed: Uint8Array): BrotliHeader | undefined {
  const bits = new Bits(compressed);
  const windowBits = readWindowBits(bits);
  return windowBits === undefined ? undefined : { windowBytes: 1 << windowBits, textBytes: readTextBytes(bits) };
}

function readTextBytes(bits: Bits): number | undefined {
  let textBytes = 0;
  for (let blocks = 0; blocks < MAX_PLAIN_BLOCKS; blocks++) {
    const isLast = bits.take(1) === 1;
    const isEmpty = isLast && bits.take(1) === 1;
    if (isEmpty) return textBytes;
    const nibbles = bits.take(2);
    if (nibbles === METADATA) return undefined;
    const blockBytes = bits.take(NIBBLE_BITS * (SMALLEST_NIBBLES + nibbles)) + 1;
    textBytes += blockBytes;
    if (isLast) return textBytes;
    const isPlain = bits.take(1) === 1;
    if (!isPlain) return undefined;
    bits.skipBytes(blockBytes);
  }
  return undefined;
}

/**
 * @returns bytes of the window of the first zstd frame; undefined where the bytes begin none
 * @see RFC 8878, section 3.1.1.1
 */
export function zstdWindowBytes(compressed: Uint8Array): number | undefined {
  const header = new DataView(compressed.buffer, compressed.byteOffset, compressed.length);
  if (header.byteLength <= ZSTD_HEADER_BYTES + 1 || header.getUint32(0, true) !== ZSTD_MAGIC) return undefined;
  const descriptor = header.getUint8(ZSTD_HEADER_BYTES);
  let at = ZSTD_HEADER_BYTES + 1;
  if ((descriptor & SINGLE_SEGMENT) === 0) {
    const window = header.getUint8(at);
    const base = 2 ** (MIN_ZSTD_WINDOW_LOG + (window >> 3));
    return base + (base / 8) * (window & 7);
  }
  // no window is given, as it is as long as the text
  at += [0, 1, 2, 4][descriptor & 3] as number;
  const sizeBytes = 1 << (descriptor >> 6);
  if (at + sizeBytes > header.byteLength) return undefined;
  switch (sizeBytes) {
    case 1:
      return header.getUint8(at);
    case 2:
      return header.getUint16(at, true) + 256;
    case 4:
      return header.getUint32(at, true);
    default:
      return Number(header.getBigUint64(at, true));
  }
}

function readWindowBits(bits: Bits): number | undefined {
  if (bits.take(1) === 0) return 16;
  const large = bits.take(3);
  if (large > 0) return 17 + large;
  const small = bits.take(3);
  if (small === 0) return 17;
  return small === 1 ? undefined : 8 + small;
}

/** Least significant bits first; zeros after the end. */
class Bits {
  private position = 0;

  constructor(private readonly bytes: Uint8Array) {}

  take(count: number): number {
    let value = 0;
    for (let bit = 0; bit < count; bit++, this.position++) {
      const byte = this.bytes[this.position >> 3] ?? 0;
      value |= ((byte >> (this.position & 7)) & 1) << bit;
    }
    return value;
  }

  /** From the next boundary of bytes on. */
  skipBytes(count: number): void {
    this.position = ((this.position + 7) & ~7) + 8 * count;
  }
}
