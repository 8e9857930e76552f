/** Names and codes in the user's files that go out as labels. */

/** One to 64 characters that can be seen; business codes are cut at that length. The same as in the schemas. */
const TEXT = /^[^\p{Cc}\p{Cs}]{1,64}$/u;

/** @returns a name or a code as a label shows it, also of a number; undefined for what no label can show */
export function shownText(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : undefined;
  return typeof value === 'string' && TEXT.test(value) ? value : undefined;
}
