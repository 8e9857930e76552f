/** Runs the command of the package as its user would, in folders of applications that are made for one test. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ROOT } from './paths';
import { type ProgramOptions, startProgram } from './program';

export const BIN = join(ROOT, 'bin/channel-exporter.js');

export interface CommandEnd {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * @param options of the program
 * @param until what it waits for has come: it is interrupted then
 */
export async function runCommand(
  args: readonly string[],
  options: Pick<ProgramOptions, 'env' | 'cwd'> = {},
  until?: () => boolean,
): Promise<CommandEnd> {
  const program = startProgram({ ...options, args: [BIN, ...args] });
  if (until !== undefined) {
    const look = setInterval(() => {
      if (!until()) return;
      clearInterval(look);
      program.child.kill('SIGINT');
    }, 50);
    program.closed.then(() => clearInterval(look));
  }
  const { code } = await program.closed;
  return { code, stdout: program.stdout(), stderr: program.stderr() };
}

export interface ApplicationFolder {
  readonly folder: string;
  /** Absolute path of what is inside. */
  at(path: string): string;
  remove(): void;
}

/**
 * Makes a folder that is not below the project.
 * @param files by their paths; objects are written as JSON
 * @param packages of the project that it has in node_modules
 */
export function makeApplication(
  files: Readonly<Record<string, string | object>>,
  packages: readonly string[] = [],
): ApplicationFolder {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'chx-cli-')));
  const at = (path: string) => join(folder, path);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), typeof content === 'string' ? content : JSON.stringify(content));
  }
  for (const name of packages) {
    const path = at(`node_modules/${name}`);
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), path);
  }
  return { folder, at, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
