/**
 * Applications whose packages are too big to lie among the project's own: installed and built once, kept, and laid into
 * a folder of their own for each test file, outside of the project, so that nothing resolves into it.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atEnd } from './left-behind';
import { ROOT } from './paths';
import { environment, nodeBinary } from './program';

/** Kept between runs; `npm ci` empties it. */
const CACHE = join(ROOT, 'node_modules/.cache/channel-exporter/applications');
const LIMIT_MS = 600_000;

export interface Installation {
  /** Of the folder in the cache: one for each application and version. */
  readonly name: string;
  /** Its package.json, with exact versions. */
  readonly manifest: Readonly<Record<string, unknown>> & { readonly dependencies: Readonly<Record<string, string>> };
  /** Folder with its own files; without one, packages are all that it has. */
  readonly files?: string;
  /** Packages with native code are compiled or fetched by their scripts. */
  readonly hasScripts?: boolean;
  /** Arguments of node that build it, in its folder; what comes out is kept too. */
  readonly build?: readonly string[];
  /** Added to the environment of the build. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Laid {
  /** Holds package.json, the packages, and this package as `channel-exporter`. */
  readonly folder: string;
  remove(): void;
}

/**
 * Lays an application into a new folder.
 * @throws {Error} with what was said, where it cannot be installed or built
 */
export function layApplication(installation: Installation): Laid {
  const kept = join(CACHE, `${installation.name}-${keyOf(installation)}`);
  if (!existsSync(kept)) install(installation, kept);
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'chx-application-')));
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  const isEnded = atEnd(remove);
  for (const entry of readdirSync(kept)) {
    // packages are linked where the file system can: tens of thousands of files, to which nobody writes
    const how = entry === 'node_modules' ? ['-al', '-a'] : ['-a'];
    if (!how.some((each) => spawnSync('cp', [each, join(kept, entry), folder]).status === 0))
      throw new Error(`${join(kept, entry)} could not be copied to ${folder}`);
  }
  symlinkSync(ROOT, join(folder, 'node_modules/channel-exporter'));
  return {
    folder,
    remove() {
      isEnded();
      remove();
    },
  };
}

/**
 * Installs and builds where no folder above is called node_modules, in which compilers take everything for a package; then
 * it is moved in one step, so that a run that was cut off leaves no half.
 */
function install({ name, manifest, files, hasScripts = false, build, env }: Installation, kept: string): void {
  const work = realpathSync(mkdtempSync(join(tmpdir(), 'chx-install-')));
  const beside = `${kept}.${process.pid}`;
  try {
    if (files !== undefined) cpSync(files, work, { recursive: true });
    writeFileSync(join(work, 'package.json'), JSON.stringify({ name: 'application', private: true, ...manifest }));
    const flags = ['--no-audit', '--no-fund', '--no-package-lock', '--prefer-offline', '--loglevel=error'];
    run(work, 'npm', ['install', ...flags, ...(hasScripts ? [] : ['--ignore-scripts'])]);
    if (build !== undefined) run(work, nodeBinary(), build, env);
    mkdirSync(CACHE, { recursive: true });
    // it may be on another file system
    run(CACHE, 'mv', [work, beside]);
    const older = readdirSync(CACHE).filter((each) => each.length === `${name}-`.length + KEY_LENGTH);
    for (const each of older.filter((other) => other.startsWith(`${name}-`)))
      rmSync(join(CACHE, each), { recursive: true, force: true });
    renameSync(beside, kept);
  } catch (error) {
    for (const half of [work, beside]) rmSync(half, { recursive: true, force: true });
    // another test file may have been faster by a moment
    if (!existsSync(kept)) throw error;
  }
}

function run(cwd: string, command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): void {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    env: { ...environment(), ...env },
    timeout: LIMIT_MS,
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? ''}\n${stdout}${stderr}`);
}

const KEY_LENGTH = 12;

/** Changes with everything that the installation is made of. */
function keyOf({ files, ...rest }: Installation): string {
  const hash = createHash('sha256').update(JSON.stringify(rest));
  if (files !== undefined)
    for (const path of readdirSync(files, { recursive: true }).map(String).sort())
      if (statSync(join(files, path)).isFile()) hash.update(path).update(readFileSync(join(files, path)));
  return hash.digest('hex').slice(0, KEY_LENGTH);
}
