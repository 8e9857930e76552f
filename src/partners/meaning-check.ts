/** Checks what a partner file says of the meaning of codes: a partner's name, and its codes of success. */

/** One to 64 characters that can be seen; business codes are cut at that length. The same as in the schema. */
const TEXT = /^[^\p{Cc}\p{Cs}]{1,64}$/u;
/** Of one entry, or of the inbound requests. */
export const MAX_SUCCESS_CODES = 100;

/** What is wrong, in the words of a problem. */
export interface MeaningFault {
  readonly wrong: string;
  readonly expected: string;
  readonly remedy: string;
}

/** @param host whose entry it stands in */
export function nameFault(host: string): MeaningFault {
  return {
    wrong: `the name of the partner of ${host} is not a name`,
    expected: 'a text of 1 to 64 characters, without line breaks',
    remedy: 'Write it in quotes, or leave it out.',
  };
}

/** @returns undefined for a list whose items are to be checked by {@link shownText} */
export function successFault(value: unknown, host: string): MeaningFault | undefined {
  if (Array.isArray(value) && value.length <= MAX_SUCCESS_CODES) return undefined;
  return {
    wrong: `the success codes of ${host} are not a list of at most ${MAX_SUCCESS_CODES} codes`,
    expected: 'a list, such as ["0", "00"]',
    remedy: 'Write them in brackets, and only those that mean success.',
  };
}

/** @returns a name or a code as a label shows it, also of a number; undefined for what no label can show */
export function shownText(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : undefined;
  return typeof value === 'string' && TEXT.test(value) ? value : undefined;
}
