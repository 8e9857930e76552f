/**
 * The states of reading a JSON text. Their order carries meaning, so the ranges that are asked for have names here and
 * nowhere else is one state compared with another by size.
 * @see RFC 8259, section 2
 */

export const STATE = {
  // between tokens: what is expected next
  VALUE: 0,
  FIRST_ITEM: 1, // a value or "]"
  FIRST_KEY: 2, // a key or "}"
  KEY: 3,
  COLON: 4,
  SEPARATOR: 5, // "," or the end of the container
  // within a token
  IN_STRING: 6,
  IN_ESCAPE: 7,
  IN_UNICODE: 8,
  IN_NUMBER: 9,
  IN_WORD: 10,
  // neither
  FINISHED: 11, // only white space may follow
  BROKEN: 12, // no JSON
  START: 13, // a value, perhaps after a byte order mark
  CLOSED: 14, // a container has ended; never the state after a chunk
} as const;

/** The states up to this one are between tokens: the next byte is white space or begins a token. */
export const LAST_BETWEEN_TOKENS = STATE.SEPARATOR;

export function isBetweenTokens(state: number): boolean {
  return state <= LAST_BETWEEN_TOKENS;
}

export function isWhiteSpace(byte: number): boolean {
  return byte <= 0x20 && (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09);
}

/** The words, by their first byte. */
export const WORDS: Readonly<Record<number, string>> = { 116: 'true', 102: 'false', 110: 'null' };
