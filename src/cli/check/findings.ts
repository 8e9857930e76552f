/** What is wrong with the settings, as a start would say it. */
import type { ProblemCode, WarningCode } from '../../errors';

/** One problem or warning. */
export interface Finding {
  /** Absent where a start says it without one. */
  readonly code?: ProblemCode | WarningCode;
  /** Without the code. */
  readonly text: string;
  /** `file:line:column`, where it is in a file. */
  readonly place?: string;
}

/** @param message of a problem, which begins with its code */
export function findingOf(code: ProblemCode, message: string, files: readonly string[]): Finding {
  const text = message.slice(`${code}: `.length);
  const file = files.find((each) => text.startsWith(`${each}:`));
  const place = file === undefined ? undefined : /^:\d+:\d+/.exec(text.slice(file.length))?.[0];
  return { code, text, ...(file !== undefined && place !== undefined && { place: file + place }) };
}

/** @returns the finding as one line of the log */
export function lineOf({ code, text }: Finding): string {
  return code === undefined ? text : `${code}: ${text}`;
}
