/** Which program a process belongs to, so that a hub notices two services with one system code. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, sep } from 'node:path';
import { realPath } from '../runtime/application-packages';
import { printable } from '../runtime/printable';
import { applicationEnvironment } from './launchers';

/** Longest text, so that a hello fits its frame. */
export const MAX_PROGRAM_CHARACTERS = 100;
const DEPENDENCIES = /[\\/]node_modules[\\/].*$/;

let known: { readonly program: string | undefined } | undefined;

/**
 * The name in the package.json next above the main script, or that file's folder where it has no name. A script of a
 * dependency, such as a pool's worker, belongs to the package that installed it; two releases of one package are one
 * program. Where there is no package.json, the script's folder.
 * @returns undefined where there is no script, or only one of a dependency without a package.json above it
 */
export function ownProgram(): string | undefined {
  known ??= { program: programOf(applicationEnvironment(process.env).pm_exec_path ?? process.argv[1]) };
  return known.program;
}

/** Whether they are one program as far as can be told: scripts in a folder and in one below it may belong together. */
export function isSameProgram(one: string, other: string): boolean {
  const isWithin = (folder: string, outer: string) => isAbsolute(outer) && folder.startsWith(outer + sep);
  return one === other || isWithin(one, other) || isWithin(other, one);
}

function programOf(script: string | undefined): string | undefined {
  if (script === undefined) return undefined;
  const real = realPath(script);
  const own = real.replace(DEPENDENCIES, '/x');
  let folder = dirname(own);
  for (;;) {
    const file = join(folder, 'package.json');
    if (existsSync(file)) return printable(nameIn(file) ?? folder).slice(0, MAX_PROGRAM_CHARACTERS);
    const parent = dirname(folder);
    // a script of a dependency says nothing of whom it works for
    if (parent === folder) return own === real ? printable(dirname(real)).slice(0, MAX_PROGRAM_CHARACTERS) : undefined;
    folder = parent;
  }
}

function nameIn(file: string): string | undefined {
  try {
    const { name } = JSON.parse(readFileSync(file, 'utf8')) as { name?: unknown };
    return typeof name === 'string' && name !== '' ? name : undefined;
  } catch {
    return undefined;
  }
}
