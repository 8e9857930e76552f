/**
 * Recognises programs that only launch the application; the exporter does not start in them.
 *
 * `NODE_OPTIONS=-r channel-exporter/register` preloads every Node process, the launcher first. It is recognised by its
 * command line alone, before anything heavy is loaded.
 */

/** The command line of a process. */
export interface CommandLine {
  /** As process.argv: the binary, the script, its arguments. */
  readonly argv: readonly string[];
  /** As process.execArgv. */
  readonly execArgv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

interface LauncherRow {
  readonly name: string;
  readonly is: (script: string, line: CommandLine) => boolean;
}

/** The script of an installed command: its name without folder and suffix, such as `nodemon`. */
const byCommand =
  (...names: readonly string[]): LauncherRow['is'] =>
  (script) =>
    names.includes(script.slice(script.lastIndexOf('/') + 1));

const byPath =
  (pattern: RegExp): LauncherRow['is'] =>
  (script) =>
    pattern.test(script);

/** Programs that start Node programs and serve nothing themselves. Paths are written with forward slashes. */
const LAUNCHERS: readonly LauncherRow[] = [
  { name: 'npm', is: byCommand('npm', 'npx', 'npm-cli.js', 'npx-cli.js') },
  { name: 'yarn', is: byCommand('yarn', 'yarnpkg') },
  { name: 'yarn', is: byPath(/\/(yarn|corepack)\/.*\/yarn(pkg)?\.c?js$|\/\.yarn\/releases\/yarn-[^/]+\.c?js$/) },
  { name: 'pnpm', is: byCommand('pnpm', 'pnpx', 'pn', 'pnx') },
  { name: 'pnpm', is: byPath(/\/(pnpm|corepack)\/.*\/pnp[mx]\.[cm]?js$/) },
  { name: 'corepack', is: byCommand('corepack') },
  { name: 'corepack', is: byPath(/\/corepack\/dist\/[^/]+\.js$/) },
  { name: 'nodemon', is: byCommand('nodemon') },
  { name: 'nodemon', is: byPath(/\/node_modules\/nodemon\/bin\//) },
  { name: 'tsx', is: byCommand('tsx') },
  { name: 'tsx', is: byPath(/\/node_modules\/tsx\/dist\/cli\.[cm]js$/) },
  { name: 'pm2', is: byCommand('pm2', 'pm2-dev', 'pm2-docker', 'pm2-runtime') },
  // not lib/ProcessContainer.js, which becomes the application
  { name: 'pm2', is: byPath(/\/pm2\/(bin\/[^/]+|lib\/(Daemon|binaries\/[^/]+)\.js)$/) },
  // not what they start, such as lib/start-cluster of egg-scripts: Egg's master
  { name: 'egg-scripts', is: byCommand('egg-scripts', 'eggctl', 'egg-bin') },
  { name: 'egg-scripts', is: byPath(/\/node_modules\/(egg-scripts|egg-bin|@eggjs\/(scripts|bin))\/bin\//) },
  // our own command, which also runs applications
  { name: 'channel-exporter', is: byCommand('channel-exporter') },
  { name: 'channel-exporter', is: byPath(/\/bin\/channel-exporter\.js$/) },
  {
    name: 'other launchers',
    is: byCommand('concurrently', 'cross-env', 'cross-env-shell', 'dotenv', 'env-cmd', 'npm-run-all', 'run-p', 'run-s'),
  },
  {
    name: 'other launchers',
    is: byPath(/\/node_modules\/(concurrently|cross-env|dotenv-cli|env-cmd|npm-run-all)\/(dist\/)?(src\/)?bin\//),
  },
  {
    // `next start` serves in its own process; `next dev` forks the server
    name: 'next dev',
    is: (script, { argv }) => /(\/next|\/next\/dist\/bin\/next)$/.test(script) && (argv[2] ?? 'dev') === 'dev',
  },
  {
    name: 'node --watch',
    is: (_script, { execArgv, env }) =>
      execArgv.some((option) => /^--watch(-path)?(=|$)/.test(option)) && env.WATCH_REPORT_DEPENDENCIES === undefined,
  },
  {
    name: 'node --test',
    is: (_script, { execArgv, env }) => execArgv.includes('--test') && env.NODE_TEST_CONTEXT === undefined,
  },
];

/** @returns the launcher's name; undefined for anything that may be the application */
export function launcherOf(line: CommandLine): string | undefined {
  const script = (line.argv[1] ?? '').replaceAll('\\', '/');
  return LAUNCHERS.find(({ is }) => is(script, line))?.name;
}

/** Types of values that PM2 makes variables of; the others are its own bookkeeping. */
const TEXT_TYPES = ['string', 'number', 'boolean'];

/**
 * The environment that the application will have. PM2 hands it to a process in cluster mode as JSON in one variable,
 * and unfolds it only after preloads have run.
 */
export function applicationEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { pm2_env: folded } = env;
  if (folded === undefined) return env;
  try {
    const entries = Object.entries(JSON.parse(folded) as Record<string, unknown>)
      .filter(([, value]) => TEXT_TYPES.includes(typeof value))
      .map(([name, value]) => [name, String(value)]);
    return { ...env, ...Object.fromEntries(entries) };
  } catch {
    return env;
  }
}
