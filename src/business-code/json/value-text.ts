/** Collects the text of a value while its characters come: cleaned, and cut where it gets too long. */

/** Longest value kept, in characters; longer ones are cut. */
export const MAX_VALUE_CHARACTERS = 64;

const REPLACEMENT = '\uFFFD';

export class ValueText {
  text = '';
  private characters = 0;
  /** Half of a character that an escape has brought; the other half must follow at once. */
  private highSurrogate = 0;

  clear(): void {
    this.text = '';
    this.characters = 0;
    this.highSurrogate = 0;
  }

  /** Adds a character that was not written as an escape. */
  addCodePoint(codePoint: number): void {
    this.endHighSurrogate();
    this.keep(codePoint <= 0xffff && isUnprintable(codePoint) ? REPLACEMENT : String.fromCodePoint(codePoint));
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

  /** Says that the value has ended. @returns its text */
  end(): string {
    this.endHighSurrogate();
    return this.text;
  }

  /** A high surrogate that no low one followed stands for nothing. */
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

/**
 * Control characters and lone low surrogates, which become U+FFFD. Tab and line breaks stay: the recorded original
 * keeps them, and the scrape text can carry them.
 */
function isUnprintable(unit: number): boolean {
  if (unit < 0x20) return unit !== 0x09 && unit !== 0x0a && unit !== 0x0d;
  return (unit >= 0x7f && unit <= 0x9f) || (unit >= 0xdc00 && unit <= 0xdfff);
}
