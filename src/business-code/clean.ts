/** The same cleaning for codes that an application sets by itself as for those read from a body. */
import { MAX_VALUE_CHARACTERS } from './value-text';

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const UNPRINTABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]|\p{Surrogate}/gu;

/** Control characters and lone surrogates become U+FFFD; over 64 characters the value is cut. */
export function cleanCode(value: string): string {
  const clean = value.replace(UNPRINTABLE, '\uFFFD');
  if (clean.length <= MAX_VALUE_CHARACTERS) return clean;
  return Array.from(clean.slice(0, MAX_VALUE_CHARACTERS * 2))
    .slice(0, MAX_VALUE_CHARACTERS)
    .join('');
}
