/** The texts of `--help`. */
import type { Command } from './call';
import { COMMANDS } from './commands';
import { table } from './terminal';

const HELP_PAGE = 'docs/cli.md';

/** @returns lines */
export function generalHelp(): string[] {
  return [
    'Usage: channel-exporter <command> [options]',
    '',
    ...table(COMMANDS.map(({ name, summary }) => [`  ${name}`, summary])),
    '',
    ...table([
      ['  --help', 'show this; channel-exporter <command> --help shows the options of a command'],
      ['  --version', 'show the version'],
    ]),
    '',
    `More in ${HELP_PAGE}.`,
  ];
}

/** @returns lines */
export function commandHelp({ name, summary, usage, options, exits }: Command): string[] {
  const rows = Object.entries(options).map(([option, { value, short, help }]) => [
    `  ${short === undefined ? '' : `-${short}, `}--${option}${value === undefined ? '' : ` ${value}`}`,
    help,
  ]);
  return [
    `Usage: channel-exporter ${name} ${usage}`,
    '',
    `${name} ${summary}.`,
    '',
    ...table(rows),
    '',
    `Exit codes: ${exits}.`,
  ];
}
