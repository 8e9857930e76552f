/** Codes that an application sets itself are cleaned as those read from a body. */
import { printable } from '../runtime/printable';
import { MAX_VALUE_CHARACTERS } from './json/value-text';

/** Control characters and lone surrogates become U+FFFD; over 64 characters the value is cut. */
export function cleanCode(value: string): string {
  const clean = printable(value);
  if (clean.length <= MAX_VALUE_CHARACTERS) return clean;
  return Array.from(clean.slice(0, MAX_VALUE_CHARACTERS * 2))
    .slice(0, MAX_VALUE_CHARACTERS)
    .join('');
}
