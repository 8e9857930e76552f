// Runs the process tests on the newest Node of each supported line: npm run test:nodes -- [line …] [part of a file name …]
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { LINES, nodeOfLine, unknownLines } from './node-lines.mjs';

const TESTS = ['/process/'];

const args = process.argv.slice(2);
const lines = args.filter((arg) => /^\d+$/.test(arg));
const parts = args.length > lines.length ? args.filter((arg) => !lines.includes(arg)) : TESTS;
const unknown = unknownLines(lines);
if (unknown.length > 0) {
  console.error(`not a supported line: ${unknown.join(', ')}; choose among ${LINES.join(', ')}`);
  process.exit(1);
}
const results = [];
for (const line of lines.length > 0 ? lines : LINES) results.push(await testOn(nodeOfLine(line)));
console.table(Object.fromEntries(results.map(({ version, ...result }) => [version, result])));
process.exit(results.every(({ exit, pass }) => exit === 0 && pass > 0) ? 0 : 1);

/** The runner stays on this Node; the programs under test run on the other. */
async function testOn(binary) {
  const version = execFileSync(binary, ['--version'], { encoding: 'utf8' }).trim();
  console.log(`\nNode ${version}`);
  const startedMs = Date.now();
  const run = spawn(process.execPath, ['scripts/test.mjs', ...parts], {
    env: { ...process.env, TEST_NODE: binary },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  run.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
    process.stdout.write(text);
  });
  const [exit] = await once(run, 'close');
  const count = (name) => Number(new RegExp(`^ℹ ${name} (\\d+)$`, 'm').exec(output)?.[1] ?? 0);
  const seconds = Math.round((Date.now() - startedMs) / 1000);
  return { version, pass: count('pass'), fail: count('fail'), skipped: count('skipped'), seconds, exit };
}
