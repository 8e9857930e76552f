/**
 * Percent-decoding that never throws: a malformed escape stays as it is, bytes that are not UTF-8 become U+FFFD. It takes
 * time in proportion to the text, however many escapes there are.
 */

const PERCENT = 0x25;

/** For each byte, the hexadecimal digit that it is; -1: none. */
const HEX_DIGITS = new Int8Array(256).fill(-1);
for (let digit = 0; digit < 16; digit++) {
  const letter = digit.toString(16);
  HEX_DIGITS[letter.charCodeAt(0)] = digit;
  HEX_DIGITS[letter.toUpperCase().charCodeAt(0)] = digit;
}

/** Decodes a path, as in `/t/%E4%B8%AD`. */
export function decodePath(text: string): string {
  if (!text.includes('%')) return text;
  const bytes = Buffer.from(text);
  let length = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    const escaped = byte === PERCENT ? hexByte(bytes[at + 1], bytes[at + 2]) : -1;
    bytes[length++] = escaped < 0 ? byte : escaped;
    if (escaped >= 0) at += 2;
  }
  return bytes.toString('utf8', 0, length);
}

/** Decodes a name or value of a query or an urlencoded form, where `+` is a space. */
export function decodeFormText(text: string): string {
  return decodePath(text.includes('+') ? text.replaceAll('+', ' ') : text);
}

/**
 * The byte that two hexadecimal digits stand for.
 * @param high code of a character, as `low`; undefined or NaN behind the end of the text
 * @returns -1 if they are not such digits
 */
export function hexByte(high = 0, low = 0): number {
  const digits = high < 256 && low < 256;
  const highDigit = digits ? (HEX_DIGITS[high] as number) : -1;
  const lowDigit = digits ? (HEX_DIGITS[low] as number) : -1;
  return highDigit < 0 || lowDigit < 0 ? -1 : highDigit * 16 + lowDigit;
}
