/**
 * Finds one field of a query or an urlencoded form. Names are compared as they stand, escape by escape, and most are ruled
 * out by their first character: nothing is decoded but the one value that is wanted.
 * @see https://url.spec.whatwg.org/#urlencoded-parsing
 */
import { hexByte } from './percent-decode';

const AMPERSAND = 0x26;
const EQUALS = 0x3d;
const PERCENT = 0x25;
const DASH = 0x2d;
const UNDERSCORE = 0x5f;

/** Where a value stands in the text. */
export interface Place {
  readonly start: number;
  readonly end: number;
}

const NO_VALUE: Place = { start: 0, end: 0 };

/**
 * @param text of any length, not decoded
 * @param name normalised: lower-case letters and digits only
 * @returns the value of the first field so named; an empty one when there is none; undefined when there is no field at all
 */
export function findField(text: string, name: string): Place | undefined {
  let hasFields = false;
  for (let at = 0; at < text.length; at++) {
    if (text.charCodeAt(at) === AMPERSAND) continue;
    hasFields = true;
    const nameEnd = matchName(text, at, name);
    if (nameEnd >= 0) {
      const start = text.charCodeAt(nameEnd) === EQUALS ? nameEnd + 1 : nameEnd;
      return { start, end: fieldEnd(text, start) };
    }
    at = fieldEnd(text, ~nameEnd);
  }
  return hasFields ? NO_VALUE : undefined;
}

/** Where the field ends within which a place lies. */
function fieldEnd(text: string, start: number): number {
  let at = start;
  while (at < text.length && text.charCodeAt(at) !== AMPERSAND) at++;
  return at;
}

/**
 * Compares a field's name, in which `-` and `_` and the case of letters do not count.
 * @returns where the name ends, if it is the one; else the complement of the place where it differs, which is negative
 */
function matchName(text: string, start: number, name: string): number {
  let letters = 0;
  let at = start;
  for (; at < text.length; at++) {
    let character = text.charCodeAt(at);
    if (character === EQUALS || character === AMPERSAND) break;
    const place = at;
    if (character === PERCENT) {
      const escaped = hexByte(text.charCodeAt(at + 1), text.charCodeAt(at + 2));
      if (escaped < 0) return ~place;
      character = escaped;
      at += 2;
    }
    if (character === DASH || character === UNDERSCORE) continue;
    const letter = character >= 0x41 && character <= 0x5a ? character + 0x20 : character;
    if (letters === name.length || name.charCodeAt(letters) !== letter) return ~place;
    letters++;
  }
  return letters === name.length ? at : ~at;
}
