/** Packages that the application has installed, which are not ours to depend on. */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * Looks from the main script, also where a link to it points to, and from where the process was started.
 * @param name of a package
 * @returns paths of what `require(name)` would load there, one for each copy, nearest first
 */
export function installedCopies(name: string): readonly string[] {
  return [...new Set(places().flatMap((place) => resolveFrom(place, name)))];
}

/**
 * Those of some packages that lie in a folder of packages which the application loads from, whatever they export: what only
 * an ES module may import cannot be resolved by {@link installedCopies}.
 */
export function installedAmong(names: readonly string[]): ReadonlySet<string> {
  const folders = [...new Set(places().flatMap(foldersAbove))]
    .map((folder) => join(folder, 'node_modules'))
    .filter((folder) => existsSync(folder));
  return new Set(names.filter((name) => folders.some((folder) => existsSync(join(folder, name, 'package.json')))));
}

/** The main script of this process, by its real path; undefined where there is none, as in `node -e`. */
export function mainScript(): string | undefined {
  const main = process.argv[1];
  if (main === undefined) return undefined;
  // a folder, or a name without its ending
  return resolveFrom(join(process.cwd(), 'package.json'), main)[0] ?? realPath(main);
}

/** Whether Node takes a script for an ES module by its name, or by the package.json next above it. */
export function isEsModule(script: string): boolean {
  if (/\.[cm][jt]s$/.test(script)) return /\.m[jt]s$/.test(script);
  const file = foldersAbove(script)
    .map((folder) => join(folder, 'package.json'))
    .find((path) => existsSync(path));
  try {
    return file !== undefined && (JSON.parse(readFileSync(file, 'utf8')) as { type?: unknown }).type === 'module';
  } catch {
    return false;
  }
}

/** Files from which the application's packages are looked up. */
function places(): readonly string[] {
  const main = process.argv[1];
  return [...(main === undefined ? [] : [main, realPath(main)]), join(process.cwd(), 'package.json')];
}

function foldersAbove(file: string): readonly string[] {
  const folders: string[] = [];
  for (let folder = dirname(file); folder !== folders.at(-1); folder = dirname(folder)) folders.push(folder);
  return folders;
}

/** @returns the path without links; unchanged where nothing is there, as for a script named without its ending */
export function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function resolveFrom(place: string, name: string): readonly string[] {
  try {
    return [createRequire(place).resolve(name)];
  } catch {
    return []; // not installed there
  }
}
