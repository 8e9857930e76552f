/**
 * The numbers of JSON as a state machine over their bytes; a state is what was read last.
 * @see RFC 8259, section 6
 */

const SIGN = 0;
const ZERO = 1;
const DIGITS = 2;
const POINT = 3;
const FRACTION = 4;
const E = 5;
const E_SIGN = 6;
const EXPONENT = 7;

/** @returns the state after the first byte of a number; -1 if no number begins with it */
export function beginNumber(byte: number): number {
  if (byte === 0x2d) return SIGN;
  if (byte === 0x30) return ZERO;
  return isDigit(byte) ? DIGITS : -1;
}

/** @returns the state after a further byte; -1 if it does not belong to the number */
export function nextNumberState(state: number, byte: number): number {
  switch (state) {
    case SIGN:
      return byte === 0x30 ? ZERO : isDigit(byte) ? DIGITS : -1;
    case ZERO:
      return byte === 0x2e ? POINT : isExponent(byte) ? E : -1;
    case DIGITS:
      return isDigit(byte) ? DIGITS : byte === 0x2e ? POINT : isExponent(byte) ? E : -1;
    case POINT:
      return isDigit(byte) ? FRACTION : -1;
    case FRACTION:
      return isDigit(byte) ? FRACTION : isExponent(byte) ? E : -1;
    case E:
      return byte === 0x2b || byte === 0x2d ? E_SIGN : isDigit(byte) ? EXPONENT : -1;
    default:
      return isDigit(byte) ? EXPONENT : -1;
  }
}

/** Whether a number may end in a state. */
export function isWholeNumber(state: number): boolean {
  return state === ZERO || state === DIGITS || state === FRACTION || state === EXPONENT;
}

export function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** @returns what a hexadecimal digit stands for; -1 for any other byte */
export function hexDigit(byte: number): number {
  if (isDigit(byte)) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

function isExponent(byte: number): boolean {
  return byte === 0x65 || byte === 0x45;
}
