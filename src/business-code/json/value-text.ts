/** Collects the text of a value as its characters arrive: cleaned, and cut at its maximum length. */
import { isUnprintable, REPLACEMENT } from '../../runtime/printable';

/** Longest value kept, in characters; longer ones are cut. */
export const MAX_VALUE_CHARACTERS = 64;

export class ValueText {
  text = '';
  private characters = 0;
  /** The first half of a character, from an escape; the second half must follow at once. */
  private highSurrogate = 0;

  /** Whether further characters do not change the text. */
  get isFull(): boolean {
    return this.characters >= MAX_VALUE_CHARACTERS;
  }

  clear(): void {
    this.text = '';
    this.characters = 0;
    this.highSurrogate = 0;
  }

  /** Adds a character that was not written as an escape. */
  addCodePoint(codePoint: number): void {
    this.endHighSurrogate();
    this.keep(isUnprintable(codePoint) ? REPLACEMENT : String.fromCodePoint(codePoint));
  }

  /** Adds one UTF-16 code unit, as escapes write them. */
  addCodeUnit(unit: number): void {
    if (unit >= 0xdc00 && unit <= 0xdfff && this.highSurrogate !== 0) {
      const pair = String.fromCharCode(this.highSurrogate, unit);
      this.highSurrogate = 0;
      this.keep(pair);
      return;
    }
    this.endHighSurrogate();
    if (unit >= 0xd800 && unit <= 0xdbff) this.highSurrogate = unit;
    else this.keep(isUnprintable(unit) ? REPLACEMENT : String.fromCharCode(unit));
  }

  /** The value has ended. @returns its text */
  end(): string {
    this.endHighSurrogate();
    return this.text;
  }

  /** A high surrogate without a low one is no character. */
  private endHighSurrogate(): void {
    if (this.highSurrogate === 0) return;
    this.highSurrogate = 0;
    this.keep(REPLACEMENT);
  }

  private keep(character: string): void {
    if (this.characters < MAX_VALUE_CHARACTERS) this.text += character;
    this.characters++;
  }
}
