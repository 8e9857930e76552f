/** Packages that the application has installed, which are not ours to depend on. */
import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/**
 * Looks from the main script, also where a link to it points to, and from where the process was started.
 * @param name of a package
 * @returns paths of what `require(name)` would load there, one for each copy, nearest first
 */
export function installedCopies(name: string): readonly string[] {
  const main = process.argv[1];
  const places = [...(main === undefined ? [] : [main, realPath(main)]), join(process.cwd(), 'package.json')];
  return [...new Set(places.flatMap((place) => resolveFrom(place, name)))];
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
