/**
 * Packages that are too big for the project's own, or run on other versions of Node only: installed from the registry the
 * first time that a test wants them, and kept.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './paths';

/** `npm ci` empties it. */
const CACHE = join(ROOT, 'node_modules/.cache/channel-exporter/packages');
const LIMIT_MS = 300_000;

/** `missing` says why they cannot be had. */
export type Installed = { readonly folder: string } | { readonly missing: string };

/**
 * @param specs such as `ioredis@5.11.1`; they share one folder
 * @returns the folder that has them in its node_modules, outside of the project's own for whoever resolves from it
 */
export function installPackages(...specs: readonly [string, ...string[]]): Installed {
  const folder = join(CACHE, createHash('sha256').update(specs.join(' ')).digest('hex').slice(0, 16));
  if (existsSync(folder)) return { folder };
  mkdirSync(CACHE, { recursive: true });
  // beside the place, and moved in one step: test files run side by side
  const work = mkdtempSync(join(CACHE, 'install-'));
  const args = ['install', '--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', work, ...specs];
  const { status, stderr } = spawnSync('npm', args, { encoding: 'utf8', timeout: LIMIT_MS });
  try {
    if (status === 0 && !existsSync(folder)) renameSync(work, folder);
  } catch {
    // another test file was first
  }
  rmSync(work, { recursive: true, force: true });
  return existsSync(folder) ? { folder } : { missing: `${specs.join(', ')} could not be installed: ${stderr}` };
}
