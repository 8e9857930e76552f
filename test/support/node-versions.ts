/** Node binaries of other release lines, fetched from npm the first time a test wants one, and kept. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { nodeBinary } from './app';
import { IS_FULL } from './effort';
import { ROOT } from './paths';

const CACHE = join(ROOT, 'node_modules/.cache/channel-exporter');
const INSTALL_LIMIT_MS = 180_000;

/** Major version of the binary under test. */
export const ownLine = Number(
  spawnSync(nodeBinary(), ['-p', 'process.versions.node.split(".")[0]'], { encoding: 'utf8' }).stdout,
);

/** The release lines that the package is tested on: those of the project, and the one of the binary under test. */
const ALL_LINES = [...new Set([20, 22, 24, 26, ownLine])].sort((a, b) => a - b);
const NEWEST_LINE = Math.max(...ALL_LINES);

/** The lines that tables over Node versions run on: all with TEST_ALL_NODES=1, in full the own and the newest, else the own. */
export const NODE_LINES: readonly number[] =
  process.env.TEST_ALL_NODES === '1'
    ? ALL_LINES
    : ALL_LINES.filter((line) => line === ownLine || (IS_FULL && line === NEWEST_LINE));

/** Says for a title which lines are run, and how to run those that are not. */
export const linesInTitle = titleOfLines();

/**
 * The newest binary of a release line; where it cannot be had, an error in CI and a report elsewhere.
 * @returns its path; undefined when it cannot be had
 */
export function nodeOfLine(line: number): string | undefined {
  if (line === ownLine) return nodeBinary();
  const home = join(CACHE, `node-${line}`);
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const binary = join(home, 'node_modules', name, process.platform === 'win32' ? 'bin/node.exe' : 'bin/node');
  if (existsSync(binary) || install(`${name}@${line}`, home)) return binary;
  const text = `Node ${line} could not be installed (${name}): its tests do not run`;
  if (process.env.CI) throw new Error(text);
  console.error(`\n*** ${text} ***\n`);
  return undefined;
}

function titleOfLines(): string {
  const others = ALL_LINES.filter((line) => !NODE_LINES.includes(line));
  const run = `Node ${NODE_LINES.join(', ')}`;
  return others.length === 0 ? run : `${run} (${others.join(', ')} with TEST_ALL_NODES=1)`;
}

/** Installs into a folder of its own and moves it in place, so that test files that run side by side can both do it. */
function install(spec: string, home: string): boolean {
  mkdirSync(CACHE, { recursive: true });
  const work = mkdtempSync(join(CACHE, 'install-'));
  const args = ['install', '--no-save', '--no-audit', '--no-fund', '--prefix', work, spec];
  const { status } = spawnSync('npm', args, { stdio: 'ignore', timeout: INSTALL_LIMIT_MS });
  if (status === 0 && !existsSync(home)) {
    try {
      renameSync(work, home);
    } catch {
      // another test file was first
    }
  }
  rmSync(work, { recursive: true, force: true });
  return existsSync(home);
}
