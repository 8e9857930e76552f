/**
 * What a parser of a setting gives back, and the shapes that a value may have as an option or as a variable's text: lists,
 * numbers, objects. Nothing here throws, and nothing here knows a setting.
 */
import { type Problem, type ProblemCode, problem } from '../errors';

/** The value to use, or one problem. */
export type Parsed<T> = { readonly value: T } | { readonly problem: Problem };

export function fault(code: ProblemCode, what: Parameters<typeof problem>[1]): { problem: Problem } {
  return { problem: problem(code, what) };
}

export function isPlainObject(raw: unknown): raw is Record<string, unknown> {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw);
}

/** A list as an array, as JSON text, or as words separated by commas or spaces. */
export function listItems(raw: unknown): unknown[] | undefined {
  if (Array.isArray(raw)) return raw;
  if (typeof raw !== 'string') return undefined;
  const text = raw.trim();
  if (text.startsWith('[')) {
    try {
      return JSON.parse(text);
    } catch {
      return undefined;
    }
  }
  return text.split(/\s*,\s*|\s+/);
}

/** A number written in decimals, as in `2.5` or `1e3`; `0x10` and words are none. */
export function decimalNumber(raw: unknown): number | undefined {
  return typeof raw === 'string' && /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(raw) ? Number(raw) : undefined;
}

export function wholeNumber(raw: unknown): number | undefined {
  if (typeof raw === 'number') return Number.isInteger(raw) ? raw : undefined;
  return typeof raw === 'string' && /^\d{1,15}$/.test(raw) ? Number(raw) : undefined;
}
