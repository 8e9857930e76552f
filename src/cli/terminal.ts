/**
 * What the command writes. Texts come from files, programs and other machines: no control character of theirs reaches the
 * terminal, and none ends a line.
 */
import { printable, REPLACEMENT } from '../runtime/printable';

/** How a line is shown where there is a terminal with colours. */
export type Tone = 'bad' | 'warn' | 'good' | 'title' | 'plain';

const CODES: Readonly<Record<Tone, string>> = { bad: '31', warn: '33', good: '32', title: '1', plain: '' };
/** Of a cell or a line: more is no help to who reads it. */
const MAX_CHARACTERS = 2_000;
/** Marks that turn the direction of what follows, and line ends that are not ASCII. */
const INVISIBLE = /[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

export interface Output {
  /** Writes one line. */
  line(text?: string, tone?: Tone): void;
  /** Writes a value as indented JSON. */
  json(value: unknown): void;
}

/** Where an output goes: standard output, or what stands for it. */
export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** @param env NO_COLOR, when it is not empty, and TERM=dumb switch colours off (https://no-color.org) */
export function createOutput(sink: Sink, env: NodeJS.ProcessEnv): Output {
  const hasColours = sink.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
  return {
    line(text = '', tone = 'plain') {
      const clean = oneLine(text);
      const code = hasColours && clean !== '' ? CODES[tone] : '';
      sink.write(code === '' ? `${clean}\n` : `\u001b[${code}m${clean}\u001b[0m\n`);
    },
    json(value) {
      sink.write(`${jsonText(value)}\n`);
    },
  };
}

/** A text without control characters, as one line. */
export function oneLine(text: string): string {
  const clean = printable(text.slice(0, MAX_CHARACTERS).replace(/[\r\n\t]/g, ' ')).replace(INVISIBLE, REPLACEMENT);
  return text.length > MAX_CHARACTERS ? `${clean}…` : clean;
}

/** JSON in which every control character is escaped, also those that JSON allows. */
function jsonText(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/**
 * Cells below each other.
 * @param right columns whose cells end below each other
 * @returns lines without spaces at their ends
 */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const clean = rows.map((row) => row.map(oneLine));
  const widths: number[] = [];
  for (const row of clean) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  }
  return clean.map((row) =>
    row
      .map((cell, index) =>
        right.includes(index) ? cell.padStart(widths[index] ?? 0) : cell.padEnd(widths[index] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

/** `1 problem`, `2 problems`. */
export function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
