/** What a label's value may hold: the scrape is text that others read, and one lone surrogate would spoil all of it. */

// tab and line ends are kept, as in the business codes of the Python package
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const UNPRINTABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]|\p{Surrogate}/gu;

/** @returns the text with U+FFFD in place of control characters and lone surrogates */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, '\uFFFD');
}
