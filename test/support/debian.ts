/**
 * Programs of Debian's packages, for tests against the real thing: a broker, a browser, Prometheus.
 *
 * A program on PATH is taken as it is; else its packages are downloaded and decompressed, not installed, so that nothing is
 * started on this machine and no rights are needed.
 */
import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { ROOT } from './paths';

const run = promisify(execFile);

/** Kept between runs; `npm ci` empties it. */
const CACHE = join(ROOT, 'node_modules/.cache/channel-exporter/debian');
/** Time for a package list or a download. */
const COMMAND_LIMIT_MS = 300_000;

export interface DebianProgram {
  /** Packages to decompress into one folder, the program's own first; dependencies are not followed. */
  readonly packages: readonly [string, ...string[]];
  /** Place of the program inside them, such as `usr/bin/prometheus`; its last part is looked for on PATH. */
  readonly program: string;
}

export type Found =
  /** `root`: where the packages were decompressed; undefined for a program that is installed. */
  { readonly path: string; readonly root?: string } | { readonly missing: string };

/** Finds a program, or gets it. Does not reject: `missing` says why it cannot be had. */
export async function findDebianProgram(wanted: DebianProgram): Promise<Found> {
  const name = basename(wanted.program);
  const installed = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name));
  const path = installed.find(isExecutable);
  if (path !== undefined) return { path };

  const root = join(CACHE, wanted.packages.join('+'));
  try {
    if (!existsSync(root)) await unpackInto(root, wanted.packages);
  } catch (error) {
    return { missing: `${name} is not installed, and cannot be downloaded: ${(error as Error).message.trim()}` };
  }
  const decompressed = join(root, wanted.program);
  if (isExecutable(decompressed)) return { path: decompressed, root };
  return { missing: `the packages ${wanted.packages.join(', ')} hold no ${wanted.program}` };
}

/**
 * Says loudly that a check was not run for lack of a program; in CI it fails.
 * @throws {Error} where the variable CI is set
 */
export function reportNotRun(t: TestContext, reason: string): void {
  const text = `NOT RUN: "${t.name}": ${reason}`;
  if (process.env.CI) throw new Error(text);
  t.diagnostic(text);
  process.stderr.write(`${text}\n`);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Unpacks beside the place and moves in one step, so that a run that was cut off or runs beside leaves no half. */
async function unpackInto(root: string, packages: readonly string[]): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, 'download-'));
  try {
    await download(packages, folder);
    const archives = readdirSync(folder).filter((file) => file.endsWith('.deb'));
    const content = join(folder, 'content');
    for (const archive of archives) await run('dpkg-deb', ['-x', join(folder, archive), content]);
    if (!existsSync(root)) renameSync(content, root);
  } catch (error) {
    // another test file may have been faster by a moment
    if (!existsSync(root)) throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** With the package lists as they are; where they are missing or old, with fresh ones, if that is permitted. */
async function download(packages: readonly string[], folder: string): Promise<void> {
  const get = () => run('apt-get', ['download', ...packages], { cwd: folder, timeout: COMMAND_LIMIT_MS });
  try {
    await get();
  } catch (error) {
    await run('apt-get', ['update'], { timeout: COMMAND_LIMIT_MS }).catch(() => {
      throw error;
    });
    await get();
  }
}
