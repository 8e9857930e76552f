// Runs the compiled tests with Node's own runner: node scripts/test.mjs [part of a file name …]
// The runner of Node 20 takes no patterns, so the files are listed here.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

const ROOT = 'build/test';
const wanted = process.argv.slice(2);
const files = readdirSync(ROOT, { recursive: true })
  .filter((name) => name.endsWith('.test.js'))
  .map((name) => join(ROOT, name))
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .sort();
if (files.length === 0) {
  console.error(`no test file matches ${wanted.join(', ')}`);
  process.exit(1);
}
// by default one core fewer than there are, which on two would be one file after the other; most files wait for programs
const atOnce = `--test-concurrency=${availableParallelism()}`;
const { status } = spawnSync(process.execPath, ['--test', atOnce, '--test-reporter=spec', ...files], {
  stdio: 'inherit',
});
process.exit(status ?? 1);
