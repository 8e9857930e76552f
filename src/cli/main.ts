/** The command `channel-exporter`: finds the subcommand, and ends with its exit code. */
import { nearest, show } from '../errors';
import { VERSION } from '../version';
import { parseCall, UsageError } from './arguments';
import { EXIT } from './call';
import { COMMANDS } from './commands';
import { commandHelp, generalHelp } from './help';
import { createOutput, type Output } from './terminal';

/** @param args after the name of the program */
export function main(args: readonly string[]): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // who reads has read enough, as `head` does
      if (error.code === 'EPIPE') process.exit();
      throw error;
    });
  }
  const output = createOutput(process.stdout, process.env);
  const errors = createOutput(process.stderr, process.env);
  run(args, output, errors).then(
    (code) => {
      process.exitCode = code;
    },
    (error) => {
      errors.line(`channel-exporter: ${error instanceof Error ? error.message : String(error)}`, 'bad');
      process.exitCode = error instanceof UsageError ? EXIT.usage : EXIT.found;
    },
  );
}

async function run(args: readonly string[], output: Output, errors: Output): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const wanted = name === 'help' ? COMMANDS.find((each) => each.name === rest[0]) : undefined;
    const target = name === undefined ? errors : output;
    for (const line of wanted === undefined ? generalHelp() : commandHelp(wanted)) target.line(line);
    return name === undefined ? EXIT.usage : EXIT.good;
  }
  if (name === '--version' || name === '-v') {
    output.line(VERSION);
    return EXIT.good;
  }
  const command = COMMANDS.find((each) => each.name === name);
  if (command === undefined) {
    const names = COMMANDS.map((each) => each.name);
    const near = nearest(name, names);
    const hint = near === undefined ? `The commands are ${names.join(', ')}.` : `Did you mean ${near}?`;
    throw new UsageError(`there is no command ${show(name)}. ${hint}`);
  }
  const parsed = parseCall(command, rest);
  if (parsed.options.help === true) {
    for (const line of commandHelp(command)) output.line(line);
    return EXIT.good;
  }
  return command.load()({ ...parsed, env: process.env, output });
}
