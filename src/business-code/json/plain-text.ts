/**
 * Strings and other tokens of JSON in which every character stands for itself: skipped, or turned into text. Most of any
 * body is of that kind.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** For each byte, whether it stands for itself in a string: ASCII other than control characters, the quote and "\\". */
const IS_PLAIN = new Uint8Array(256).fill(1, 0x20, 0x80);
IS_PLAIN[QUOTE] = 0;
IS_PLAIN[BACKSLASH] = 0;

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

/**
 * The text of a value of plain ASCII. The last one is kept: mostly the same code comes again, and a string that was used
 * before carries its hash, by which series are found.
 */
export class PlainText {
  private text = '';

  /** @returns the text of these bytes, which are ASCII */
  read(bytes: Uint8Array, start: number, end: number): string {
    if (!this.isLast(bytes, start, end)) {
      this.text = '';
      for (let i = start; i < end; i++) this.text += String.fromCharCode(bytes[i] as number);
    }
    return this.text;
  }

  private isLast(bytes: Uint8Array, start: number, end: number): boolean {
    const { text } = this;
    if (text.length !== end - start) return false;
    for (let i = start; i < end; i++) if (text.charCodeAt(i - start) !== bytes[i]) return false;
    return true;
  }
}

/** Whether bytes are printable ASCII, which a label may hold unchanged. */
export function isPrintableAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte < 0x20 || byte > 0x7e) return false;
  }
  return true;
}
