/** The subcommands: what each takes, what it is for, and where its code is. */
import type { Command, OptionRow } from './call';

const ENV_FILE: OptionRow = {
  type: 'string',
  value: 'FILE',
  help: 'variables as node --env-file reads them; those of the environment win',
};
const JSON_OPTION: OptionRow = { type: 'boolean', help: 'write JSON, for machines' };
const HELP: OptionRow = { type: 'boolean', short: 'h', help: 'show this' };
const PARTNERS: OptionRow = {
  type: 'string',
  value: 'FILE',
  help: 'partner file; wins over CHANNEL_EXPORTER_PARTNERS',
};
const CALLERS: OptionRow = { type: 'string', value: 'FILE', help: 'callers file; wins over CHANNEL_EXPORTER_CALLERS' };
const PATHS: OptionRow = { type: 'string', value: 'FILE', help: 'paths file; wins over CHANNEL_EXPORTER_PATHS' };

export const COMMANDS: readonly Command[] = [
  {
    name: 'check',
    summary: 'checks the settings, and the files of partners, callers and paths, as a start would',
    usage: '[options]',
    options: {
      partners: PARTNERS,
      callers: CALLERS,
      paths: PATHS,
      'env-from': ENV_FILE,
      print: { type: 'boolean', help: 'show every setting in force, and where it comes from' },
      strict: { type: 'boolean', help: 'warnings count as problems' },
      json: JSON_OPTION,
      help: HELP,
    },
    maxPositionals: 0,
    exits: '0 no problem, 1 problems, 2 wrong usage',
    load: () => (require('./check') as typeof import('./check')).runCheck,
  },
  {
    name: 'doctor',
    summary: 'looks for mistakes that lose measurements, in a folder or in a program that it runs',
    usage: '[options] [-- command arguments…]',
    options: {
      folder: { type: 'string', value: 'DIR', help: 'folder of the application; the working directory' },
      seconds: { type: 'string', value: 'N', help: 'how long the command runs, 1 to 3600; 10' },
      quiet: { type: 'boolean', short: 'q', help: 'do not pass on what the command writes' },
      partners: PARTNERS,
      callers: CALLERS,
      paths: PATHS,
      'env-from': ENV_FILE,
      json: JSON_OPTION,
      help: HELP,
    },
    maxPositionals: 0,
    takesCommand: true,
    exits: '0 nothing that loses measurements, 1 such mistakes, 2 wrong usage',
    load: () => (require('./doctor') as typeof import('./doctor')).runDoctor,
  },
  {
    name: 'scrape',
    summary: 'shows the families of a running exporter as a table',
    usage: '[options] [url|port]',
    options: {
      family: { type: 'string', value: 'NAME', help: 'one family with its series' },
      top: { type: 'string', value: 'N', help: 'series shown, 0 to 1000; 5, or 20 with --family' },
      timeout: { type: 'string', value: 'SECONDS', help: 'for the whole answer, 1 to 300; 10' },
      'user-from': { type: 'string', value: 'VARIABLE', help: 'variable that holds name:password' },
      ca: { type: 'string', value: 'FILE', help: 'certificates that are trusted, PEM' },
      json: JSON_OPTION,
      help: HELP,
    },
    maxPositionals: 1,
    exits: '0 shown, 1 no scrape or no such family, 2 wrong usage',
    load: () => (require('./scrape') as typeof import('./scrape')).runScrape,
  },
];
