/**
 * Reads on while tokens lie whole in the bytes and their characters are plain or do not count, which is most of any
 * body: with all that changes in local variables, in a fraction of the time that steps take. What is not so is begun
 * here and left to {@link TokenSteps}.
 */
import { isWhiteSpace, LAST_BETWEEN_TOKENS, STATE, WORDS } from './grammar';
import { beginNumber, isWholeNumber, nextNumberState } from './json-number';
import type { KeyMatcher } from './key-matcher';
import { isPrintableAscii, PlainText } from './plain-text';
import { skipPlain, skipString } from './string-skip';
import type { TextState } from './text-state';
import type { TokenSteps } from './token-steps';
import { MAX_VALUE_CHARACTERS } from './value-text';

const { BROKEN, CLOSED, COLON, FINISHED, FIRST_ITEM, FIRST_KEY, KEY, SEPARATOR, VALUE } = STATE;

// a constant of this module, and not the import: it is compared at every byte
const LAST = LAST_BETWEEN_TOKENS;

const SPACE = 0x20;
const QUOTE = 0x22;
const BEGIN_ARRAY = 0x5b;
const END_ARRAY = 0x5d;
const BEGIN_OBJECT = 0x7b;
const END_OBJECT = 0x7d;
const COMMA = 0x2c;
const COLON_BYTE = 0x3a;

/** The token is not whole in these bytes, or not plain. */
const NOT_WHOLE = -1;

export class WholeTokens {
  private readonly value = new PlainText();

  constructor(
    private readonly text: TextState,
    private readonly steps: TokenSteps,
    private readonly key: KeyMatcher,
  ) {}

  /**
   * Reads bytes, beginning between tokens.
   * @param before bytes of the text that came before the first of these
   * @returns where it stopped: at the end, after the last byte of the text, or within a token that goes on in steps
   */
  read(bytes: Uint8Array, start: number, end: number, before: number): number {
    const { text } = this;
    let { state, depth, wanted } = text;
    let isObject = text.containers.isObject(depth);
    let i = start;
    while (i < end && state <= LAST) {
      const byte = bytes[i++] as number;
      if (byte <= SPACE && isWhiteSpace(byte)) continue;
      switch (state) {
        case COLON:
          state = byte === COLON_BYTE ? VALUE : BROKEN;
          continue;
        case SEPARATOR:
          if (byte === COMMA) {
            state = isObject ? KEY : VALUE;
            continue;
          }
          state = byte === (isObject ? END_OBJECT : END_ARRAY) ? CLOSED : BROKEN;
          break;
        case FIRST_KEY:
        case KEY:
          if (byte === QUOTE) {
            const plainEnd = skipPlain(bytes, i, end);
            const isPlain = plainEnd < end && bytes[plainEnd] === QUOTE;
            const close = isPlain ? plainEnd : skipString(bytes, plainEnd, end);
            if (close < end && bytes[close] === QUOTE) {
              const names = isPlain ? this.key.compare(bytes, i, close) : this.key.compareEscaped(bytes, i, close);
              wanted = names === 0 ? 0 : text.matches.stillWanted(names, depth);
              state = COLON;
              i = close + 1;
            } else {
              this.steps.beginKey();
              state = text.state;
            }
            continue;
          }
          state = state === FIRST_KEY && byte === END_OBJECT ? CLOSED : BROKEN;
          break;
        default: {
          if (byte === BEGIN_OBJECT || byte === BEGIN_ARRAY) {
            isObject = byte === BEGIN_OBJECT;
            if (!text.containers.open(++depth, isObject, wanted, state)) state = BROKEN;
            else state = isObject ? FIRST_KEY : FIRST_ITEM;
            wanted = 0;
            continue;
          }
          if (state === FIRST_ITEM && byte === END_ARRAY) {
            state = CLOSED;
            break;
          }
          let next: number;
          if (wanted !== 0) {
            text.depth = depth;
            text.wanted = wanted;
            next = this.takeScalar(byte, bytes, i, end, before);
          } else if (byte === QUOTE) {
            let close = skipPlain(bytes, i, end);
            if (close < end && bytes[close] !== QUOTE) close = skipString(bytes, close, end);
            next = close < end && bytes[close] === QUOTE ? close + 1 : NOT_WHOLE;
          } else {
            next = skipScalar(byte, bytes, i, end);
          }
          if (next === NOT_WHOLE) {
            text.wanted = wanted;
            this.steps.beginScalar(byte);
            state = text.state;
          } else {
            i = next;
            wanted = 0;
            state = depth === 0 ? FINISHED : SEPARATOR;
          }
          continue;
        }
      }
      if (state !== CLOSED) continue;
      depth--;
      isObject = text.containers.isObject(depth);
      wanted = 0;
      state = depth === 0 ? FINISHED : SEPARATOR;
    }
    text.state = state;
    text.depth = depth;
    text.wanted = wanted;
    return i;
  }

  /**
   * Takes a string or number under a key that matched, if it needs no more than its bytes.
   * @param byte its first one, which stands before `start`
   * @returns where reading goes on; {@link NOT_WHOLE} where it has to be read in steps
   */
  private takeScalar(byte: number, bytes: Uint8Array, start: number, end: number, before: number): number {
    if (byte === QUOTE) {
      const close = skipPlain(bytes, start, end);
      const isPlain = close < end && bytes[close] === QUOTE && close - start <= MAX_VALUE_CHARACTERS;
      if (!isPlain || !isPrintableAscii(bytes, start, close)) return NOT_WHOLE;
      this.text.accept('string', this.value.read(bytes, start, close), before + close + 1);
      return close + 1;
    }
    const numberState = beginNumber(byte);
    if (numberState < 0) return NOT_WHOLE;
    const close = skipNumber(numberState, bytes, start, end);
    if (close === NOT_WHOLE || close - start >= MAX_VALUE_CHARACTERS) return NOT_WHOLE;
    this.text.accept('number', this.value.read(bytes, start - 1, close), before + close);
    return close;
  }
}

/** As {@link WholeTokens.takeScalar}, of a number or word that does not count. */
function skipScalar(byte: number, bytes: Uint8Array, start: number, end: number): number {
  const numberState = beginNumber(byte);
  if (numberState >= 0) return skipNumber(numberState, bytes, start, end);
  const word = WORDS[byte];
  return word === undefined ? NOT_WHOLE : skipWord(word, bytes, start, end);
}

/** A number ends only before a byte that is no part of it, so that one at the end of the bytes is not known to be whole. */
function skipNumber(begun: number, bytes: Uint8Array, start: number, end: number): number {
  let state = begun;
  for (let i = start; i < end; i++) {
    const next = nextNumberState(state, bytes[i] as number);
    if (next < 0) return isWholeNumber(state) ? i : NOT_WHOLE;
    state = next;
  }
  return NOT_WHOLE;
}

function skipWord(word: string, bytes: Uint8Array, start: number, end: number): number {
  const close = start + word.length - 1;
  if (close > end) return NOT_WHOLE;
  for (let n = 1; n < word.length; n++) if (bytes[start + n - 1] !== word.charCodeAt(n)) return NOT_WHOLE;
  return close;
}
