/** Skips the inside of JSON strings whose characters do not count, checking them as it goes. */
import { hexDigit } from './json-number';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** For each byte, whether it stands for itself in a string: ASCII other than control characters, the quote and "\\". */
const IS_PLAIN = new Uint8Array(256).fill(1, 0x20, 0x80);
IS_PLAIN[QUOTE] = 0;
IS_PLAIN[BACKSLASH] = 0;
/** The same for other modules: an exported constant is looked up at each byte. */
export const PLAIN_BYTES: Uint8Array = IS_PLAIN;

/** Skips plain characters of a string, ASCII and most of East Asia's. @returns the place of the first other byte */
export function skipPlain(bytes: Uint8Array, start: number, end: number): number {
  let i = skipAscii(bytes, start, end);
  while (i + 2 < end && hasAnyTail(bytes[i] as number) && isTail(bytes[i + 1]) && isTail(bytes[i + 2])) {
    i = skipAscii(bytes, i + 3, end);
  }
  return i;
}

function skipAscii(bytes: Uint8Array, start: number, end: number): number {
  let i = start;
  while (i < end && IS_PLAIN[bytes[i] as number] === 1) i++;
  return i;
}

/** Whether a byte begins a sequence of three in UTF-8 whose other two may be any continuation bytes. */
function hasAnyTail(byte: number): boolean {
  return byte > 0xe0 && byte < 0xed;
}

function isTail(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

/** The characters that may follow a backslash and stand for one character with it. */
const IS_ESCAPED = new Uint8Array(256);
for (const character of '"\\/bfnrt') IS_ESCAPED[character.charCodeAt(0)] = 1;
const LETTER_U = 0x75;

/** Skips any characters of a string. @returns the place of its quote, or of a character that is cut or malformed */
export function skipString(bytes: Uint8Array, start: number, end: number): number {
  let i = skipPlain(bytes, start, end);
  while (i < end && bytes[i] !== QUOTE) {
    const length = bytes[i] === BACKSLASH ? escapeLength(bytes, i, end) : sequenceLength(bytes, i, end);
    if (length === 0) return i;
    i = skipPlain(bytes, i + length, end);
  }
  return i;
}

/** Bytes of the escape that begins at a place; 0: it is cut or malformed. */
function escapeLength(bytes: Uint8Array, at: number, end: number): number {
  if (at + 1 >= end) return 0;
  const escaped = bytes[at + 1] as number;
  if (IS_ESCAPED[escaped] === 1) return 2;
  if (escaped !== LETTER_U || at + 5 >= end) return 0;
  for (let i = at + 2; i < at + 6; i++) if (hexDigit(bytes[i] as number) < 0) return 0;
  return 6;
}

/**
 * Bytes of the UTF-8 sequence that begins at a place; 0: it is cut or malformed.
 * @see RFC 3629, section 4
 */
function sequenceLength(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at] as number;
  const length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > end) return 0;
  for (let i = at + 1; i < at + length; i++) if (!isTail(bytes[i])) return 0;
  const second = bytes[at + 1] as number;
  if ((lead === 0xe0 && second < 0xa0) || (lead === 0xed && second > 0x9f)) return 0;
  if ((lead === 0xf0 && second < 0x90) || (lead === 0xf4 && second > 0x8f)) return 0;
  return length;
}
