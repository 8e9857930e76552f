/**
 * Decodes base64 as it passes, four characters at a time. Each part of a `grpc-web-text` body may have been encoded by
 * itself, so that padding stands in its middle too, where Node's decoder would stop.
 */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const PADDING = 64;
const NOT_IN_IT = 255;
const VALUES = new Uint8Array(256).fill(NOT_IN_IT);
for (let value = 0; value < ALPHABET.length; value++) VALUES[ALPHABET.charCodeAt(value)] = value;
VALUES['='.charCodeAt(0)] = PADDING;

/** Decoded bytes are handed on in parts of so many at most. */
const PART_BYTES = 3 * 1024;
const part = new Uint8Array(PART_BYTES);

export class Base64 {
  private bits = 0;
  private characters = 0;
  private padding = 0;
  private isFaulty = false;

  /** Whether something came that is no base64; nothing after it is decoded. */
  get isBroken(): boolean {
    return this.isFaulty;
  }

  /** @param take gets the decoded bytes, which are overwritten by the next ones */
  push(text: Uint8Array, length: number, take: (bytes: Uint8Array, length: number) => void): void {
    let filled = 0;
    for (let at = 0; at < length && !this.isFaulty; at++) {
      this.takeCharacter(VALUES[text[at] as number] as number);
      if (this.characters < 4) continue;
      part[filled] = this.bits >> 16;
      part[filled + 1] = this.bits >> 8;
      part[filled + 2] = this.bits;
      filled += 3 - this.padding;
      this.bits = this.characters = this.padding = 0;
      if (filled > PART_BYTES - 3) {
        take(part, filled);
        filled = 0;
      }
    }
    if (filled > 0) take(part, filled);
  }

  private takeCharacter(value: number): void {
    const isPadding = value === PADDING;
    // at most two at the end of four
    if (value === NOT_IN_IT || (isPadding ? this.characters < 2 : this.padding > 0)) {
      this.isFaulty = true;
      this.characters = 0;
      return;
    }
    if (isPadding) this.padding++;
    this.bits = (this.bits << 6) | (isPadding ? 0 : value);
    this.characters++;
  }
}
