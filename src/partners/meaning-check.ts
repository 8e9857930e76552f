/** Checks what a partner file says of the meaning of codes: a partner's name, and its codes of success. */

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

/** @returns undefined for a list whose items are to be checked by `shownText` */
export function successFault(value: unknown, host: string): MeaningFault | undefined {
  if (Array.isArray(value) && value.length <= MAX_SUCCESS_CODES) return undefined;
  return {
    wrong: `the success codes of ${host} are not a list of at most ${MAX_SUCCESS_CODES} codes`,
    expected: 'a list, such as ["0", "00"]',
    remedy: 'Write them in brackets, and only those that mean success.',
  };
}
