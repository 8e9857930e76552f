/**
 * Finds codes in JSON text that passes by in pieces, without building the document.
 *
 * A state machine over bytes: it keeps a stack of one byte per open object or array, so that no depth can overflow
 * the call stack, checks the text as JSON (RFC 8259) and as UTF-8, and holds nothing but the values it found.
 *
 * What is found: a key that equals a name after dropping `-` and `_` and lower-casing, with a string, number or
 * boolean as its value. The shallowest match wins, among equals the last in text order; a match ends the search of
 * its own object. null, arrays and objects under a matching key are no match and are searched further.
 */

import { beginNumber, isDigit, isWholeNumber, nextNumberState } from './json-number';
import { KeyMatcher } from './key-matcher';
import { Utf8Sequence } from './utf8';
import { MAX_VALUE_CHARACTERS, ValueText } from './value-text';

/** A value as it was found. */
export interface Found {
  /** A string decoded and cleaned, a number as its source text, a boolean as `true` or `false`; cut. */
  readonly text: string;
  readonly kind: 'string' | 'number' | 'boolean';
}

// what is expected next
const VALUE = 0;
const FIRST_ITEM = 1; // a value or "]"
const FIRST_KEY = 2; // a key or "}"
const KEY = 3;
const COLON = 4;
const SEPARATOR = 5; // "," or the end of the container
const IN_STRING = 6;
const IN_ESCAPE = 7;
const IN_UNICODE = 8;
const IN_NUMBER = 9;
const IN_WORD = 10;
const FINISHED = 11;
const BROKEN = 12;
const START = 13; // a value, perhaps behind a byte order mark

// what a string is for
const SKIPPED = 0;
const AS_KEY = 1;
const AS_VALUE = 2;

const IS_OBJECT = 1; // bit of a stack entry; the bits above it say which names the object has matched

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const;

const WORDS: Readonly<Record<number, string>> = { 116: 'true', 102: 'false', 110: 'null' };

interface Match extends Found {
  readonly depth: number;
  /** Bytes of the text up to the end of the value. */
  readonly endsAt: number;
}

export class CodeScanner {
  private state = START;
  private stack = new Uint8Array(32);
  private depth = 0;
  private readonly matches: (Match | undefined)[];
  private position = 0;

  private readonly key: KeyMatcher;
  /** Bits of the names that the last key equals and its object has not matched yet. */
  private wanted = 0;

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

  /** @param names normalised: lower-case letters only; at most seven */
  constructor(private readonly names: readonly string[]) {
    this.matches = names.map(() => undefined);
    this.key = new KeyMatcher(names);
  }

  /** Makes it ready for another text, as if it were new. */
  reset(): void {
    this.state = START;
    this.depth = 0;
    this.matches.fill(undefined);
    this.position = 0;
    this.wanted = 0;
    this.sequence.left = 0;
    this.markAt = 0;
  }

  /** The value found for a name; undefined: there was none so far. */
  found(name: number): Found | undefined {
    return this.matches[name];
  }

  /**
   * Where a name was settled: found as a key of the outermost object, so that nothing behind can replace it.
   * @returns bytes of the text up to the end of its value; undefined while something can still replace it
   */
  settledAt(name: number): number | undefined {
    const match = this.matches[name];
    return match?.depth === 1 ? match.endsAt : undefined;
  }

  /** Whether the text read so far can no longer become JSON. */
  get isBroken(): boolean {
    return this.state === BROKEN;
  }

  /** Says that the text has ended. @returns whether it was one whole JSON text */
  finish(): boolean {
    if (this.state === IN_NUMBER && isWholeNumber(this.numberState)) this.endNumber();
    return this.state === FINISHED;
  }

  /** Reads the bytes from `start` to `end`, the next ones of the text. */
  push(bytes: Uint8Array, start = 0, end = bytes.length): void {
    const before = this.position - start;
    let i = start;
    while (i < end) {
      if (this.state === IN_STRING && this.isPassedOver() && this.sequence.left === 0) {
        i = skipPlain(bytes, i, end);
        if (i === end) break;
      }
      this.position = before + i;
      this.step(bytes[i] as number);
      if (this.state === BROKEN) return;
      i++;
    }
    this.position = before + end;
  }

  /** Whether what the string says does not matter any more. */
  private isPassedOver(): boolean {
    return this.purpose === SKIPPED || (this.purpose === AS_KEY && this.key.isOut);
  }

  private step(byte: number): void {
    switch (this.state) {
      case IN_STRING:
        this.inString(byte);
        return;
      case IN_ESCAPE:
        this.inEscape(byte);
        return;
      case IN_UNICODE:
        this.inUnicode(byte);
        return;
      case IN_NUMBER:
        this.inNumber(byte);
        return;
      case IN_WORD:
        this.inWord(byte);
        return;
      case START:
        if (byte === BYTE_ORDER_MARK[this.markAt]) {
          this.markAt++;
          if (this.markAt === BYTE_ORDER_MARK.length) this.state = VALUE;
          return;
        }
        // white space keeps the state, so that a mark may not follow it
        this.state = this.markAt === 0 ? VALUE : BROKEN;
        break;
      default:
    }
    if (this.state !== BROKEN && !isWhiteSpace(byte)) this.structure(byte);
  }

  private structure(byte: number): void {
    switch (this.state) {
      case VALUE:
        this.beginValue(byte);
        return;
      case FIRST_ITEM:
        if (byte === 0x5d) this.close();
        else this.beginValue(byte);
        return;
      case FIRST_KEY:
        if (byte === 0x7d) this.close();
        else this.beginKey(byte);
        return;
      case KEY:
        this.beginKey(byte);
        return;
      case COLON:
        this.state = byte === 0x3a ? VALUE : BROKEN;
        return;
      case SEPARATOR:
        if (byte === 0x2c) this.state = this.inObject() ? KEY : VALUE;
        else if (byte === (this.inObject() ? 0x7d : 0x5d)) this.close();
        else this.state = BROKEN;
        return;
      default:
        // anything but white space behind the end
        this.state = BROKEN;
    }
  }

  private inObject(): boolean {
    return ((this.stack[this.depth - 1] as number) & IS_OBJECT) !== 0;
  }

  private open(flags: number): void {
    if (this.depth === this.stack.length) {
      const larger = new Uint8Array(this.stack.length * 2);
      larger.set(this.stack);
      this.stack = larger;
    }
    this.stack[this.depth++] = flags;
    this.wanted = 0;
    this.state = flags === IS_OBJECT ? FIRST_KEY : FIRST_ITEM;
  }

  private close(): void {
    this.depth--;
    this.endValue();
  }

  private endValue(): void {
    this.wanted = 0;
    this.state = this.depth === 0 ? FINISHED : SEPARATOR;
  }

  private beginKey(byte: number): void {
    if (byte !== QUOTE) {
      this.state = BROKEN;
      return;
    }
    this.key.begin();
    this.beginString(AS_KEY);
  }

  private beginValue(byte: number): void {
    if (byte === QUOTE) {
      this.beginString(this.wanted === 0 ? SKIPPED : AS_VALUE);
    } else if (byte === 0x7b) {
      this.open(IS_OBJECT);
    } else if (byte === 0x5b) {
      this.open(0);
    } else if (beginNumber(byte) >= 0) {
      this.numberState = beginNumber(byte);
      this.number = '';
      this.keepDigit(byte);
      this.state = IN_NUMBER;
    } else {
      this.word = WORDS[byte] ?? '';
      this.wordAt = 1;
      this.state = this.word === '' ? BROKEN : IN_WORD;
    }
  }

  private beginString(purpose: number): void {
    this.purpose = purpose;
    if (purpose === AS_VALUE) this.value.clear();
    this.state = IN_STRING;
  }

  private inString(byte: number): void {
    if (this.sequence.left > 0) {
      this.continueSequence(byte);
    } else if (byte >= 0x80) {
      if (!this.sequence.begin(byte)) this.state = BROKEN;
    } else if (byte === QUOTE) {
      this.endString();
    } else if (byte === BACKSLASH) {
      this.state = IN_ESCAPE;
    } else if (byte < 0x20) {
      this.state = BROKEN;
    } else {
      this.codeUnit(byte);
    }
  }

  private inEscape(byte: number): void {
    this.state = IN_STRING;
    switch (byte) {
      case QUOTE:
      case BACKSLASH:
      case 0x2f:
        this.codeUnit(byte);
        return;
      case 0x62:
        this.codeUnit(0x08);
        return;
      case 0x66:
        this.codeUnit(0x0c);
        return;
      case 0x6e:
        this.codeUnit(0x0a);
        return;
      case 0x72:
        this.codeUnit(0x0d);
        return;
      case 0x74:
        this.codeUnit(0x09);
        return;
      case 0x75:
        this.unicode = 0;
        this.unicodeDigits = 0;
        this.state = IN_UNICODE;
        return;
      default:
        this.state = BROKEN;
    }
  }

  private inUnicode(byte: number): void {
    const digit = hexDigit(byte);
    if (digit < 0) {
      this.state = BROKEN;
      return;
    }
    this.unicode = this.unicode * 16 + digit;
    this.unicodeDigits++;
    if (this.unicodeDigits < 4) return;
    this.state = IN_STRING;
    this.codeUnit(this.unicode);
  }

  private continueSequence(byte: number): void {
    if (!this.sequence.next(byte)) this.state = BROKEN;
    else if (this.sequence.left > 0) return;
    else if (this.purpose === AS_KEY) this.key.fail();
    else if (this.purpose === AS_VALUE) this.value.addCodePoint(this.sequence.codePoint);
  }

  /** A character that is ASCII or written as an escape, one UTF-16 code unit. */
  private codeUnit(unit: number): void {
    if (this.purpose === AS_KEY) this.key.add(unit);
    else if (this.purpose === AS_VALUE) this.value.addCodeUnit(unit);
  }

  private endString(): void {
    if (this.purpose === AS_KEY) {
      this.endKey();
      return;
    }
    if (this.purpose === AS_VALUE) this.accept('string', this.value.end(), this.position + 1);
    this.endValue();
  }

  private endKey(): void {
    const matchedBefore = (this.stack[this.depth - 1] as number) >> 1;
    this.wanted = this.key.matched() & ~matchedBefore;
    this.state = COLON;
  }

  private inNumber(byte: number): void {
    const next = nextNumberState(this.numberState, byte);
    if (next >= 0) {
      this.numberState = next;
      this.keepDigit(byte);
      return;
    }
    if (!isWholeNumber(this.numberState)) {
      this.state = BROKEN;
      return;
    }
    this.endNumber();
    if (!isWhiteSpace(byte)) this.structure(byte);
  }

  private keepDigit(byte: number): void {
    if (this.wanted !== 0 && this.number.length < MAX_VALUE_CHARACTERS) this.number += String.fromCharCode(byte);
  }

  private endNumber(): void {
    if (this.wanted !== 0) this.accept('number', this.number, this.position);
    this.endValue();
  }

  private inWord(byte: number): void {
    if (byte !== this.word.charCodeAt(this.wordAt)) {
      this.state = BROKEN;
      return;
    }
    this.wordAt++;
    if (this.wordAt < this.word.length) return;
    if (this.wanted !== 0 && this.word !== 'null') this.accept('boolean', this.word, this.position + 1);
    this.endValue();
  }

  private accept(kind: Found['kind'], text: string, endsAt: number): void {
    for (let n = 0; n < this.names.length; n++) {
      if ((this.wanted & (1 << n)) === 0) continue;
      const best = this.matches[n];
      if (best === undefined || this.depth <= best.depth) this.matches[n] = { kind, text, depth: this.depth, endsAt };
    }
    this.stack[this.depth - 1] = (this.stack[this.depth - 1] as number) | (this.wanted << 1);
  }
}

/** The next byte of a string that is more than one of its plain characters. */
function skipPlain(bytes: Uint8Array, start: number, end: number): number {
  let i = start;
  while (i < end) {
    const byte = bytes[i] as number;
    if (byte < 0x20 || byte >= 0x80 || byte === QUOTE || byte === BACKSLASH) return i;
    i++;
  }
  return end;
}

function isWhiteSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function hexDigit(byte: number): number {
  if (isDigit(byte)) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
