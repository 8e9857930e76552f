/**
 * Checks and decodes UTF-8 sequences of two to four bytes that arrive byte by byte. Overlong forms, surrogates and
 * anything above U+10FFFF are not UTF-8.
 * @see RFC 3629, section 4
 */
export class Utf8Sequence {
  /** Bytes still missing; 0: no sequence has begun. */
  left = 0;
  /** The character, once the sequence has ended. */
  codePoint = 0;
  // what the next byte may be; narrower than 0x80 to 0xbf after some lead bytes
  private lowest = 0x80;
  private highest = 0xbf;

  /** Takes a lead byte. @returns whether it is one */
  begin(byte: number): boolean {
    this.lowest = 0x80;
    this.highest = 0xbf;
    if (byte >= 0xc2 && byte <= 0xdf) {
      this.left = 1;
      this.codePoint = byte & 0x1f;
    } else if (byte >= 0xe0 && byte <= 0xef) {
      this.left = 2;
      this.codePoint = byte & 0x0f;
      if (byte === 0xe0) this.lowest = 0xa0;
      if (byte === 0xed) this.highest = 0x9f;
    } else if (byte >= 0xf0 && byte <= 0xf4) {
      this.left = 3;
      this.codePoint = byte & 0x07;
      if (byte === 0xf0) this.lowest = 0x90;
      if (byte === 0xf4) this.highest = 0x8f;
    } else {
      return false;
    }
    return true;
  }

  /** Takes the next byte of a sequence that has begun. @returns whether it belongs there */
  next(byte: number): boolean {
    if (byte < this.lowest || byte > this.highest) return false;
    this.lowest = 0x80;
    this.highest = 0xbf;
    this.codePoint = (this.codePoint << 6) | (byte & 0x3f);
    this.left--;
    return true;
  }
}
