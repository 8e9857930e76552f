/** What a subcommand is, and what it is called with. */
import type { Output } from './terminal';

/** Exit codes of every subcommand. */
export const EXIT = { good: 0, found: 1, usage: 2 } as const;

export interface OptionRow {
  readonly type: 'string' | 'boolean';
  readonly help: string;
  /** What stands for its value in the help. */
  readonly value?: string;
  readonly short?: string;
}

/** What a subcommand was called with. */
export interface Call {
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
  readonly positionals: readonly string[];
  /** What stands after `--`. */
  readonly command: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly output: Output;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** After the name. */
  readonly usage: string;
  readonly options: Readonly<Record<string, OptionRow>>;
  readonly maxPositionals: number;
  /** Whether it takes a command after `--`. */
  readonly takesCommand?: boolean;
  /** What each exit code means. */
  readonly exits: string;
  /** @returns the exit code */
  readonly load: () => (call: Call) => Promise<number>;
}
