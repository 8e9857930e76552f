// The newest Node of a release line, from npm's packages of it; kept in node_modules/.cache until the next npm ci.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const LINES = ['20', '22', '24', '26'];
const CACHE = join(import.meta.dirname, '../node_modules/.cache/channel-exporter/nodes');
const PACKAGE = `node-${process.platform}-${process.arch}`;

/**
 * @param {string} line such as `24`
 * @returns the path of its binary
 * @throws where it cannot be had
 */
export function nodeOfLine(line) {
  const answer = JSON.parse(npm('view', '--json', `${PACKAGE}@${line}`, 'version'));
  const [newest] = [answer].flat().sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
  const folder = join(CACHE, line);
  mkdirSync(folder, { recursive: true });
  // a folder with a package.json of its own, which npm would otherwise look for above
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const quiet = ['--no-save', '--no-audit', '--no-fund', '--prefer-offline'];
  npm('install', ...quiet, '--prefix', folder, `${PACKAGE}@${newest}`);
  return join(folder, 'node_modules', PACKAGE, 'bin/node');
}

/** @returns those that are not supported, among lines that somebody asked for */
export function unknownLines(lines) {
  return lines.filter((line) => !LINES.includes(line));
}

function npm(...args) {
  return execFileSync('npm', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}
