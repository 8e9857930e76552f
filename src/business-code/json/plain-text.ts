/** Values of printable ASCII, as codes mostly are: recognised and turned into text. */

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
