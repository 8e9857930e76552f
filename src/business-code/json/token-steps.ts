/**
 * Reads byte by byte what {@link WholeTokens} cannot read at once: a token that is cut by the end of a chunk, or whose
 * characters count and are not plain, and the ends of the text.
 */
import { isWhiteSpace, STATE, WORDS } from './grammar';
import { beginNumber, hexDigit, isWholeNumber, nextNumberState } from './json-number';
import type { KeyMatcher } from './key-matcher';
import type { TextState } from './text-state';
import { Utf8Sequence } from './utf8';
import { MAX_VALUE_CHARACTERS, ValueText } from './value-text';

const { BROKEN, COLON, IN_ESCAPE, IN_NUMBER, IN_STRING, IN_UNICODE, IN_WORD, START, VALUE } = STATE;

// what a string is for
const SKIPPED = 0;
const AS_KEY = 1;
const AS_VALUE = 2;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const;

export class TokenSteps {
  private purpose = SKIPPED;
  private readonly value = new ValueText();
  private readonly sequence = new Utf8Sequence();
  private unicode = 0;
  private unicodeDigits = 0;
  private number = '';
  private numberState = 0;
  private word = '';
  private wordAt = 0;
  private markAt = 0;

  constructor(
    private readonly text: TextState,
    private readonly key: KeyMatcher,
  ) {}

  reset(): void {
    this.sequence.left = 0;
    this.markAt = 0;
  }

  /** Whether the text is within a string whose characters do not count any more. */
  get isPassedOver(): boolean {
    if (this.text.state !== IN_STRING || this.sequence.left > 0) return false;
    return this.purpose === SKIPPED || (this.purpose === AS_KEY ? this.key.isOut : this.value.isFull);
  }

  /** Whether the next byte is a character of a key that counts, or its end. */
  get isInKey(): boolean {
    return this.text.state === IN_STRING && this.purpose === AS_KEY && this.sequence.left === 0;
  }

  /** A key begins; its quote has been read. */
  beginKey(): void {
    this.key.begin();
    this.purpose = AS_KEY;
    this.text.state = IN_STRING;
  }

  /** A string, number or word begins. @param byte its first one, which has been read */
  beginScalar(byte: number): void {
    const { text } = this;
    const isWanted = text.wanted !== 0;
    if (byte === QUOTE) {
      this.purpose = isWanted ? AS_VALUE : SKIPPED;
      if (isWanted) this.value.clear();
      text.state = IN_STRING;
      return;
    }
    this.numberState = beginNumber(byte);
    if (this.numberState >= 0) {
      this.number = isWanted ? String.fromCharCode(byte) : '';
      text.state = IN_NUMBER;
      return;
    }
    this.word = WORDS[byte] ?? '';
    this.wordAt = 1;
    text.state = this.word === '' ? BROKEN : IN_WORD;
  }

  /** Takes one byte. @returns false where the token ended before the byte */
  step(byte: number): boolean {
    switch (this.text.state) {
      case START:
        return this.atStart(byte);
      case IN_STRING:
        this.inString(byte);
        return true;
      case IN_ESCAPE:
        this.inEscape(byte);
        return true;
      case IN_UNICODE:
        this.inUnicode(byte);
        return true;
      case IN_NUMBER:
        return this.inNumber(byte);
      case IN_WORD:
        this.inWord(byte);
        return true;
      default:
        // only white space may follow the text
        if (!isWhiteSpace(byte)) this.text.state = BROKEN;
        return true;
    }
  }

  /** The text has ended, which may be the end of a number. */
  finish(): void {
    if (this.text.state === IN_NUMBER && isWholeNumber(this.numberState)) this.endNumber();
  }

  /** Before the text there may be a byte order mark; nothing may stand before the mark. */
  private atStart(byte: number): boolean {
    const isMark = byte === BYTE_ORDER_MARK[this.markAt];
    if (isMark) this.markAt++;
    if (this.markAt === BYTE_ORDER_MARK.length || this.markAt === 0) this.text.state = VALUE;
    else if (!isMark) this.text.state = BROKEN;
    return isMark;
  }

  private inString(byte: number): void {
    if (this.sequence.left > 0) {
      this.continueSequence(byte);
    } else if (byte >= 0x80) {
      if (!this.sequence.begin(byte)) this.text.state = BROKEN;
    } else if (byte === QUOTE) {
      this.endString();
    } else if (byte === BACKSLASH) {
      this.text.state = IN_ESCAPE;
    } else if (byte < 0x20) {
      this.text.state = BROKEN;
    } else {
      this.addCodeUnit(byte);
    }
  }

  private inEscape(byte: number): void {
    this.text.state = IN_STRING;
    switch (byte) {
      case QUOTE:
      case BACKSLASH:
      case 0x2f:
        this.addCodeUnit(byte);
        return;
      case 0x62:
        this.addCodeUnit(0x08);
        return;
      case 0x66:
        this.addCodeUnit(0x0c);
        return;
      case 0x6e:
        this.addCodeUnit(0x0a);
        return;
      case 0x72:
        this.addCodeUnit(0x0d);
        return;
      case 0x74:
        this.addCodeUnit(0x09);
        return;
      case 0x75:
        this.unicode = 0;
        this.unicodeDigits = 0;
        this.text.state = IN_UNICODE;
        return;
      default:
        this.text.state = BROKEN;
    }
  }

  private inUnicode(byte: number): void {
    const digit = hexDigit(byte);
    if (digit < 0) {
      this.text.state = BROKEN;
      return;
    }
    this.unicode = this.unicode * 16 + digit;
    this.unicodeDigits++;
    if (this.unicodeDigits < 4) return;
    this.text.state = IN_STRING;
    this.addCodeUnit(this.unicode);
  }

  private continueSequence(byte: number): void {
    if (!this.sequence.next(byte)) this.text.state = BROKEN;
    else if (this.sequence.left > 0) return;
    else if (this.purpose === AS_KEY) this.key.fail();
    else if (this.purpose === AS_VALUE) this.value.addCodePoint(this.sequence.codePoint);
  }

  /** A character that is ASCII or written as an escape, one UTF-16 code unit. */
  private addCodeUnit(unit: number): void {
    if (this.purpose === AS_KEY) this.key.add(unit);
    else if (this.purpose === AS_VALUE) this.value.addCodeUnit(unit);
  }

  private endString(): void {
    const { text } = this;
    if (this.purpose === AS_KEY) {
      text.wanted = text.matches.stillWanted(this.key.matched(), text.depth);
      text.state = COLON;
      return;
    }
    if (this.purpose === AS_VALUE) text.accept('string', this.value.end(), text.position + 1);
    text.endValue();
  }

  /** @returns whether the byte belongs to the number */
  private inNumber(byte: number): boolean {
    const next = nextNumberState(this.numberState, byte);
    if (next >= 0) {
      this.numberState = next;
      if (this.text.wanted !== 0 && this.number.length < MAX_VALUE_CHARACTERS) this.number += String.fromCharCode(byte);
      return true;
    }
    if (isWholeNumber(this.numberState)) this.endNumber();
    else this.text.state = BROKEN;
    return false;
  }

  private endNumber(): void {
    const { text } = this;
    if (text.wanted !== 0) text.accept('number', this.number, text.position);
    text.endValue();
  }

  private inWord(byte: number): void {
    const { text } = this;
    if (byte !== this.word.charCodeAt(this.wordAt)) {
      text.state = BROKEN;
      return;
    }
    this.wordAt++;
    if (this.wordAt < this.word.length) return;
    if (text.wanted !== 0 && this.word !== 'null') text.accept('boolean', this.word, text.position + 1);
    text.endValue();
  }
}
