/**
 * Finds codes in JSON text that passes by in chunks, without building the document.
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
import { isPrintableAscii, PlainText, skipPlain } from './plain-text';
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
const CLOSED = 14; // a container has ended

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
  private readonly plainValue = new PlainText();
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
    for (let n = 0; n < this.names.length; n++) this.matches[n] = undefined;
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
      if (this.state <= SEPARATOR) i = this.readTokens(bytes, i, end, before);
      else if (this.state === IN_STRING && this.isPassedOver()) i = skipPlain(bytes, i, end);
      if (i === end) break;
      this.position = before + i;
      if (this.state === BROKEN) return;
      // a token has begun, and its end or its text matters; the byte behind a number is no part of it
      if (this.state > SEPARATOR && this.step(bytes[i] as number)) i++;
    }
    this.position = before + end;
  }

  /** Whether what the string says does not matter any more. */
  private isPassedOver(): boolean {
    return (this.purpose === SKIPPED || (this.purpose === AS_KEY && this.key.isOut)) && this.sequence.left === 0;
  }

  /**
   * Reads on while tokens lie whole in the bytes and their text is plain or not wanted, which is most of any body: with
   * all that changes at hand, in a fraction of the time that steps take.
   * @param before bytes of the text that came before the first of these
   * @returns where it stopped: at the end, behind the last byte of the text, or within a token that goes on in steps
   */
  private readTokens(bytes: Uint8Array, start: number, end: number, before: number): number {
    let { state, depth, wanted } = this;
    let flags = this.flagsAt(depth);
    let i = start;
    while (i < end && state <= SEPARATOR) {
      const byte = bytes[i++] as number;
      if (isWhiteSpace(byte)) continue;
      switch (state) {
        case COLON:
          state = byte === 0x3a ? VALUE : BROKEN;
          continue;
        case SEPARATOR:
          if (byte === 0x2c) {
            state = (flags & IS_OBJECT) === 0 ? VALUE : KEY;
            continue;
          }
          state = byte === ((flags & IS_OBJECT) === 0 ? 0x5d : 0x7d) ? CLOSED : BROKEN;
          break;
        case FIRST_KEY:
        case KEY:
          if (byte === QUOTE) {
            const close = skipPlain(bytes, i, end);
            if (close < end && bytes[close] === QUOTE) {
              const equal = this.key.compare(bytes, i, close);
              wanted = equal === 0 ? 0 : this.stillWanted(equal, flags, depth);
              state = COLON;
              i = close + 1;
            } else {
              this.key.begin();
              this.purpose = AS_KEY;
              state = IN_STRING;
            }
            continue;
          }
          state = state === FIRST_KEY && byte === 0x7d ? CLOSED : BROKEN;
          break;
        default:
          if (byte === 0x7b || byte === 0x5b) {
            flags = byte === 0x7b ? IS_OBJECT : 0;
            this.open(depth++, flags);
            wanted = 0;
            state = byte === 0x7b ? FIRST_KEY : FIRST_ITEM;
            continue;
          }
          if (state === FIRST_ITEM && byte === 0x5d) {
            state = CLOSED;
            break;
          }
          state = this.beginScalar(byte, wanted);
          if (wanted !== 0) {
            const close = this.plainEnd(state, bytes, i, end);
            if (close < 0) continue;
            this.depth = depth;
            this.wanted = wanted;
            const isString = state === IN_STRING;
            const text = this.plainValue.read(bytes, isString ? i : i - 1, close);
            i = isString ? close + 1 : close;
            this.accept(isString ? 'string' : 'number', text, before + i);
            flags = this.flagsAt(depth);
            wanted = 0;
            state = SEPARATOR;
            continue;
          }
          if (state === IN_STRING) {
            i = skipPlain(bytes, i, end);
            if (i === end || bytes[i] !== QUOTE) continue;
            i++;
          } else if (state === IN_NUMBER) {
            i = this.skipNumber(bytes, i, end);
            if (i === end || !isWholeNumber(this.numberState)) continue;
          } else if (state === IN_WORD) {
            i = this.skipWord(bytes, i, end);
            if (this.wordAt < this.word.length) continue;
          } else {
            continue;
          }
          state = depth === 0 ? FINISHED : SEPARATOR;
          continue;
      }
      if (state !== CLOSED) continue;
      depth--;
      flags = this.flagsAt(depth);
      wanted = 0;
      state = depth === 0 ? FINISHED : SEPARATOR;
    }
    this.state = state;
    this.depth = depth;
    this.wanted = wanted;
    return i;
  }

  /**
   * Where a wanted string or number ends, of which the first byte has been read, if it needs no more than its bytes.
   * @returns the place behind its last character; -1 where it has to be read in steps
   */
  private plainEnd(state: number, bytes: Uint8Array, start: number, end: number): number {
    if (state === IN_STRING) {
      const close = skipPlain(bytes, start, end);
      const isPlain = close < end && bytes[close] === QUOTE && close - start <= MAX_VALUE_CHARACTERS;
      return isPlain && isPrintableAscii(bytes, start, close) ? close : -1;
    }
    if (state !== IN_NUMBER) return -1;
    const { numberState } = this;
    const close = this.skipNumber(bytes, start, end);
    if (close < end && isWholeNumber(this.numberState) && close - start < MAX_VALUE_CHARACTERS) return close;
    this.numberState = numberState;
    return -1;
  }

  /** Takes one byte of a token that has begun. @returns false where it ended before the byte */
  private step(byte: number): boolean {
    switch (this.state) {
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
      case START:
        return this.atStart(byte);
      default:
        // anything but white space behind the end
        if (!isWhiteSpace(byte)) this.state = BROKEN;
        return true;
    }
  }

  /** Before the text there may be a byte order mark; nothing may stand before the mark. */
  private atStart(byte: number): boolean {
    const isMark = byte === BYTE_ORDER_MARK[this.markAt];
    if (isMark) this.markAt++;
    if (this.markAt === BYTE_ORDER_MARK.length || this.markAt === 0) this.state = VALUE;
    else if (!isMark) this.state = BROKEN;
    return isMark;
  }

  /** Of the container that is open at a depth; 0: none is. */
  private flagsAt(depth: number): number {
    return depth === 0 ? 0 : (this.stack[depth - 1] as number);
  }

  private open(depth: number, flags: number): void {
    if (depth === this.stack.length) {
      const larger = new Uint8Array(this.stack.length * 2);
      larger.set(this.stack);
      this.stack = larger;
    }
    this.stack[depth] = flags;
  }

  private endValue(): void {
    this.wanted = 0;
    this.state = this.depth === 0 ? FINISHED : SEPARATOR;
  }

  /** @returns the state behind the first byte of a string, number or word */
  private beginScalar(byte: number, wanted: number): number {
    if (byte === QUOTE) {
      this.purpose = wanted === 0 ? SKIPPED : AS_VALUE;
      if (wanted !== 0) this.value.clear();
      return IN_STRING;
    }
    this.numberState = beginNumber(byte);
    if (this.numberState >= 0) {
      this.number = wanted === 0 ? '' : String.fromCharCode(byte);
      return IN_NUMBER;
    }
    this.word = WORDS[byte] ?? '';
    this.wordAt = 1;
    return this.word === '' ? BROKEN : IN_WORD;
  }

  /** @returns where the number ends that has begun */
  private skipNumber(bytes: Uint8Array, start: number, end: number): number {
    let { numberState } = this;
    let i = start;
    for (; i < end; i++) {
      const next = nextNumberState(numberState, bytes[i] as number);
      if (next < 0) break;
      numberState = next;
    }
    this.numberState = numberState;
    return i;
  }

  /** @returns where the word ends that has begun, or is another one */
  private skipWord(bytes: Uint8Array, start: number, end: number): number {
    let i = start;
    while (i < end && this.wordAt < this.word.length && bytes[i] === this.word.charCodeAt(this.wordAt)) {
      this.wordAt++;
      i++;
    }
    return i;
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
    this.wanted = this.stillWanted(this.key.matched(), this.flagsAt(this.depth), this.depth);
    this.state = COLON;
  }

  /** Without the names that the object has matched before, or that a better match was found for. */
  private stillWanted(names: number, flags: number, depth: number): number {
    let wanted = names & ~(flags >> 1);
    for (let n = 0; wanted >> n !== 0; n++) {
      const best = this.matches[n];
      if (best !== undefined && best.depth < depth) wanted &= ~(1 << n);
    }
    return wanted;
  }

  /** @returns whether the byte belongs to the number */
  private inNumber(byte: number): boolean {
    const next = nextNumberState(this.numberState, byte);
    if (next >= 0) {
      this.numberState = next;
      if (this.wanted !== 0 && this.number.length < MAX_VALUE_CHARACTERS) this.number += String.fromCharCode(byte);
      return true;
    }
    if (isWholeNumber(this.numberState)) this.endNumber();
    else this.state = BROKEN;
    return false;
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
    const { depth, wanted } = this;
    for (let n = 0; wanted >> n !== 0; n++) {
      if ((wanted & (1 << n)) !== 0) this.matches[n] = { kind, text, depth, endsAt };
    }
    this.stack[depth - 1] = this.flagsAt(depth) | (wanted << 1);
  }
}

function isWhiteSpace(byte: number): boolean {
  return byte <= 0x20 && (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09);
}

function hexDigit(byte: number): number {
  if (isDigit(byte)) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
