/** What a label's value may hold: the scrape is text that others read, and one lone surrogate would spoil all of it. */

/** Stands in place of a character that a label may not hold. */
export const REPLACEMENT = '\uFFFD';

const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * Whether a label may not hold a character: control characters and lone surrogates. Tab and line ends are kept, as in
 * the business codes of the Python package.
 * @param codePoint of a whole character; a surrogate stands alone
 */
export function isUnprintable(codePoint: number): boolean {
  if (codePoint < 0x20) return codePoint !== TAB && codePoint !== LINE_FEED && codePoint !== CARRIAGE_RETURN;
  return (codePoint >= 0x7f && codePoint <= 0x9f) || (codePoint >= 0xd800 && codePoint <= 0xdfff);
}

/** @returns the text with U+FFFD in place of control characters and lone surrogates */
export function printable(text: string): string {
  let clean = '';
  let kept = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0xd800 && !isUnprintable(unit)) continue;
    const codePoint = text.codePointAt(at) as number;
    if (codePoint > 0xffff) {
      at++;
    } else if (isUnprintable(codePoint)) {
      clean += text.slice(kept, at) + REPLACEMENT;
      kept = at + 1;
    }
  }
  return kept === 0 ? text : clean + text.slice(kept);
}
