/**
 * The inside of JSON strings, and other tokens, where every character stands for itself: passed over or made text. Most
 * of any body is of that kind.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** For each byte, whether it is a character of its own in a string: ASCII, but no control character or quote or "\\". */
const IS_PLAIN = new Uint8Array(256).fill(1, 0x20, 0x80);
IS_PLAIN[QUOTE] = 0;
IS_PLAIN[BACKSLASH] = 0;

/** The next byte of a string that is more than one of its plain characters, among which are most of East Asia's. */
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

/** Whether a byte leads a sequence of three, of which the other two may be any that continue one. */
function hasAnyTail(byte: number): boolean {
  return byte > 0xe0 && byte < 0xed;
}

function isTail(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

/**
 * The text of a value of plain ASCII. The last one is kept: codes are few, mostly the same one comes again, and a text
 * that was made before has its hash, by which series are found.
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

/** Whether bytes are printable ASCII, such as stands in a label as it is. */
export function isPrintableAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte < 0x20 || byte > 0x7e) return false;
  }
  return true;
}
