/** Arguments of the command line as the subcommands take them. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { nearest, show } from '../errors';
import type { Call, Command } from './call';

/** The command line cannot be understood; its message names what, and what is meant. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * @param args after the name of the subcommand
 * @throws {UsageError}
 */
export function parseCall(
  command: Command,
  args: readonly string[],
): Pick<Call, 'options' | 'positionals' | 'command'> {
  const end = command.takesCommand === true ? args.indexOf('--') : -1;
  const own = end === -1 ? args : args.slice(0, end);
  const names = Object.keys(command.options);
  const unknown = own
    .map((arg) => /^--([^=]+)/.exec(arg)?.[1])
    .find((name) => name !== undefined && !names.includes(name));
  if (unknown !== undefined) {
    const near = nearest(unknown, names);
    throw new UsageError(
      `${command.name} has no option --${unknown}.${near === undefined ? '' : ` Did you mean --${near}?`}`,
    );
  }
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({ args: [...own], options: parseOptions(command.options), allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message.split('\n')[0] as string);
  }
  const extra = parsed.positionals[command.maxPositionals];
  if (extra !== undefined) {
    const hint = command.takesCommand === true ? ' A command stands after --.' : '';
    throw new UsageError(`${command.name} takes no argument ${show(extra)} here.${hint}`);
  }
  return {
    options: parsed.values as Call['options'],
    positionals: parsed.positionals,
    command: end === -1 ? [] : args.slice(end + 1),
  };
}

/**
 * @returns the whole number that an option gives, or the default
 * @throws {UsageError}
 */
export function wholeOption(
  call: Call,
  name: string,
  [least, most]: readonly [number, number],
  otherwise: number,
): number {
  const text = call.options[name];
  if (text === undefined) return otherwise;
  const value = typeof text === 'string' && /^\d{1,9}$/.test(text) ? Number(text) : -1;
  if (value >= least && value <= most) return value;
  throw new UsageError(`--${name} is no number from ${least} to ${most}; got ${show(text)}.`);
}

/** @returns the text that an option gives; undefined without */
export function textOption({ options }: Call, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

/** The options of a command as node:util takes them. */
function parseOptions(options: Command['options']): NonNullable<ParseArgsConfig['options']> {
  return Object.fromEntries(
    Object.entries(options).map(([name, { type, short }]) => [name, { type, ...(short && { short }) }]),
  );
}
