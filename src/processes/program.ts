/** Which program a process belongs to, so that a hub notices two services with one system code. */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { printable } from '../runtime/printable';
import { applicationEnvironment } from './launchers';

/** Longest text, so that a hello fits its frame. */
export const MAX_PROGRAM_CHARACTERS = 100;
const DEPENDENCIES = /[\\/]node_modules[\\/].*$/;

let known: { readonly program: string | undefined } | undefined;

/**
 * The name in the package.json next above the main script, or that file's folder where it has no name. A script of a
 * dependency, such as a pool's worker, belongs to the package that installed it; two releases of one package are one
 * program.
 * @returns undefined where there is no script or no package.json
 */
export function ownProgram(): string | undefined {
  known ??= { program: programOf(applicationEnvironment(process.env).pm_exec_path ?? process.argv[1]) };
  return known.program;
}

function programOf(script: string | undefined): string | undefined {
  if (script === undefined) return undefined;
  let folder = dirname(realPath(script).replace(DEPENDENCIES, '/x'));
  for (;;) {
    const file = join(folder, 'package.json');
    if (existsSync(file)) return printable(nameIn(file) ?? folder).slice(0, MAX_PROGRAM_CHARACTERS);
    const parent = dirname(folder);
    if (parent === folder) return undefined;
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

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // without its ending
  }
}
