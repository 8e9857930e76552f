/**
 * Compares a key with the names that are looked for, letter by letter as it arrives, all names at once. Sets of names
 * are bits: bit n is name n.
 */
import { hexDigit } from './json-number';
import { PLAIN_BYTES } from './string-skip';

const DASH = 0x2d;
const UNDERSCORE = 0x5f;
const BACKSLASH = 0x5c;
const LETTER_U = 0x75;
// a constant of this module, as it is looked at for every byte
const IS_PLAIN = PLAIN_BYTES;

/** For each list of names and byte, whether a key that begins with it may equal a name; there are a few such lists. */
const firstBytes = new WeakMap<readonly string[], Uint8Array>();

export class KeyMatcher {
  /** The set of all names. */
  private readonly all: number;
  /** One of {@link firstBytes}. */
  private readonly mayBegin: Uint8Array;
  /** The names that the key may still equal. */
  private left = 0;
  /** Letters of the key read so far. */
  private letters = 0;

  /** @param names lower-case letters and digits only; at most thirty */
  constructor(private readonly names: readonly string[]) {
    this.all = (1 << names.length) - 1;
    this.mayBegin = firstBytes.get(names) ?? firstBytesOf(names);
  }

  /** Whether no name is left that the key could equal. */
  get isOut(): boolean {
    return this.left === 0;
  }

  /** A key begins. */
  begin(): void {
    this.left = this.all;
    this.letters = 0;
  }

  /** The key has a character that no name has. */
  fail(): void {
    this.left = 0;
  }

  /** The next UTF-16 code unit of the key; `-` and `_` are skipped, the case of ASCII letters is ignored. */
  add(unit: number): void {
    if (unit === DASH || unit === UNDERSCORE) return;
    const letter = unit >= 0x41 && unit <= 0x5a ? unit + 0x20 : unit;
    for (let n = 0; n < this.names.length; n++) {
      if ((this.names[n] as string).charCodeAt(this.letters) !== letter) this.left &= ~(1 << n);
    }
    this.letters++;
  }

  /**
   * The next bytes of the key, as far as they are plain and a name is left.
   * @returns the place of the first that is not
   */
  addPlain(bytes: Uint8Array, start: number, end: number): number {
    let i = start;
    for (; i < end && this.left !== 0; i++) {
      const byte = bytes[i] as number;
      if (IS_PLAIN[byte] === 0) break;
      if (byte !== DASH && byte !== UNDERSCORE) this.add(byte);
    }
    return i;
  }

  /** Compares a key that is whole in the bytes and without escapes. @returns the names that it equals */
  compare(bytes: Uint8Array, start: number, end: number): number {
    // the first byte rules out most keys
    if (this.mayBegin[bytes[start] as number] === 0) return 0;
    this.begin();
    for (let i = start; i < end && this.left !== 0; i++) this.add(bytes[i] as number);
    return this.matched();
  }

  /** Compares a key that is whole in the bytes, well-formed, and has escapes or characters that are not ASCII. */
  compareEscaped(bytes: Uint8Array, start: number, end: number): number {
    this.begin();
    for (let i = start; i < end && this.left !== 0; i++) {
      const byte = bytes[i] as number;
      if (byte !== BACKSLASH) {
        this.add(byte);
      } else if (bytes[i + 1] === LETTER_U) {
        let unit = 0;
        for (let digit = 2; digit < 6; digit++) unit = unit * 16 + hexDigit(bytes[i + digit] as number);
        this.add(unit);
        i += 5;
      } else {
        // the other escapes stand for characters that no name has
        this.fail();
      }
    }
    return this.matched();
  }

  /** The key has ended. @returns the names that it equals */
  matched(): number {
    let bits = 0;
    for (let n = 0; n < this.names.length; n++) {
      if (this.letters === (this.names[n] as string).length) bits |= 1 << n;
    }
    return bits & this.left;
  }
}

function firstBytesOf(names: readonly string[]): Uint8Array {
  const mayBegin = new Uint8Array(256);
  for (const first of ['-', '_', ...names.flatMap(([letter = '']) => [letter, letter.toUpperCase()])]) {
    mayBegin[first.charCodeAt(0)] = 1;
  }
  firstBytes.set(names, mayBegin);
  return mayBegin;
}
