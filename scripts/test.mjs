/**
 * Runs the compiled tests: node scripts/test.mjs [--unit] [--full] [--record] [part of a file name …]
 *
 * Each file runs in a process of its own, several at once: as many as the cores can take by what each file needs of them
 * (test-weights.json), the longest first. Node's own runner knows only a number of files, and reports nothing of a file
 * before those that were named earlier are done. A line is printed for each file that is done, the whole output of one
 * that fails, and the totals in the words of Node's runner. Everything is in build/test.log as well.
 *
 * Files that fail beside others are run once more, alone: a machine that is busy with other things makes programs late.
 * One that passes then is reported as unsteady.
 *
 * --unit: only what starts neither a program under the preload nor a message broker.
 * --full: with TEST_FULL=1, that is random inputs and load in full (test/support/effort.ts), and the files of
 *   test-weights.json that are marked "full", which take longest and seldom find what the others do not.
 * --record: one file after the other, and what each took goes into test-weights.json.
 */
import { spawn } from 'node:child_process';
import { createWriteStream, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

const ROOT = 'build/test';
const LOG = 'build/test.log';
const WEIGHTS = 'scripts/test-weights.json';
/** Of a file that is not in the table: seconds that it takes alone, and the cores that it keeps busy. */
const UNKNOWN = [5, 0.8];
/** Shorter files are not worth a line in the table. */
const LEAST_SECONDS = 2;
/** Cores that files may need together for each that there is: none of them needs its own all the time. */
const LOAD_PER_CORE = 1.25;
/** However little they compute, files that wait for programs on time are not to wait for each other. */
const FILES_PER_CORE = 3;
const SILENCE_MS = 20_000;
/** Of one file, when all are run; a file that is asked for by name may be made to run for hours. */
const LIMIT_MS = 10 * 60_000;
/** Up to so many files are shown as Node's runner shows them. */
const FEW = 3;
/** Of a file that is interrupted. */
const LAST_LINES = 20;
/** More files than these fail for a reason. */
const MOST_UNSTEADY = 4;
const TOTALS = ['tests', 'suites', 'pass', 'fail', 'cancelled', 'skipped', 'todo'];

const flags = process.argv.slice(2).filter((arg) => arg.startsWith('--'));
const parts = process.argv.slice(2).filter((arg) => !arg.startsWith('--'));
const isUnitOnly = flags.includes('--unit');
const isRecording = flags.includes('--record');
const isFull = flags.includes('--full') || process.env.TEST_FULL === '1';
const env = isFull ? { ...process.env, TEST_FULL: '1' } : process.env;
const weights = JSON.parse(readFileSync(WEIGHTS, 'utf8'));
const leftOut = [];
const files = listFiles();
if (files.length === 0) {
  console.error(`no test file matches ${parts.join(', ')}`);
  process.exit(1);
}

const startedMs = Date.now();
const cores = isRecording ? 0 : availableParallelism();
const log = createWriteStream(LOG);
const waiting = [...files];
const running = new Set();
const done = [];
let lastLineMs = startedMs;

process.once('SIGINT', () => end('SIGINT'));
process.once('SIGTERM', () => end('SIGTERM'));
const heartbeat = setInterval(() => {
  if (Date.now() - lastLineMs < SILENCE_MS) return;
  const names = [...running].map(({ name, beganMs }) => `${name} (${seconds(Date.now() - beganMs)})`);
  print(`… ${done.length}/${files.length} done after ${seconds(Date.now() - startedMs)}; running: ${names.join(', ')}`);
}, 1_000);

await new Promise((resolve) => {
  const next = () => {
    for (let file = takeNext(); file !== undefined; file = takeNext()) runFile(file).then(next);
    if (running.size === 0) resolve();
  };
  next();
});
await runFailedAgain();
clearInterval(heartbeat);
if (isRecording) record();
log.end();
process.exitCode = summarize() ? 0 : 1;

/** Files to run, the longest first. */
function listFiles() {
  return readdirSync(ROOT, { recursive: true })
    .filter((path) => path.endsWith('.test.js'))
    .map((path) => ({ path: join(ROOT, path), name: path.slice(0, -'.test.js'.length) }))
    .filter(({ path }) => parts.length === 0 || parts.some((part) => path.includes(part)))
    .filter(({ path }) => !isUnitOnly || isUnit(path))
    .map((file) => {
      const [takesSeconds, busyCores, isForFull = false] = weights[file.name] ?? UNKNOWN;
      return { ...file, takesSeconds, busyCores, isForFull };
    })
    .filter((file) => {
      const isLeftOut = file.isForFull && !isFull && parts.length === 0;
      if (isLeftOut) leftOut.push(file.name);
      return !isLeftOut;
    })
    .sort((a, b) => b.takesSeconds - a.takesSeconds);
}

function isUnit(path) {
  return !path.includes('/process/') && !readFileSync(path, 'utf8').includes('support/brokers');
}

/** The longest file that the cores can take beside those that run. */
function takeNext() {
  if (running.size > 0 && running.size >= cores * FILES_PER_CORE) return undefined;
  const busy = [...running].reduce((sum, { busyCores }) => sum + busyCores, 0);
  const index = waiting.findIndex(({ busyCores }) => running.size === 0 || busy + busyCores <= cores * LOAD_PER_CORE);
  return index === -1 ? undefined : waiting.splice(index, 1)[0];
}

/** Replaces the results of the few files that have failed by those of a run in which nothing else runs. */
async function runFailedAgain() {
  const failed = done.filter(({ hasPassed }) => !hasPassed);
  if (files.length <= FEW || failed.length > MOST_UNSTEADY) return;
  for (const first of failed) {
    done.splice(done.indexOf(first), 1);
    await runFile(files.find(({ name }) => name === first.name));
    if (done.at(-1).hasPassed) done.at(-1).isUnsteady = true;
  }
}

async function runFile(file) {
  const args = ['--test-reporter=spec', file.path];
  // a shell knows the processor time of the programs that it has waited for, and of theirs
  const [command, all] = isRecording
    ? ['sh', ['-c', '"$0" "$@"; status=$?; times; exit $status', process.execPath, ...args]]
    : [process.execPath, args];
  const run = {
    name: file.name,
    busyCores: file.busyCores,
    isForFull: file.isForFull,
    beganMs: Date.now(),
    output: '',
  };
  run.child = spawn(command, all, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(run);
  for (const stream of [run.child.stdout, run.child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      run.output += text;
    });
  }
  const limit = parts.length > 0 ? undefined : setTimeout(() => run.child.kill('SIGTERM'), LIMIT_MS);
  const exit = await new Promise((resolve) => {
    run.child.once('error', (error) => resolve(error.message));
    run.child.once('close', (code, signal) => resolve(signal ?? code));
  });
  clearTimeout(limit);
  running.delete(run);
  const totals = Object.fromEntries(TOTALS.map((name) => [name, lastCount(run.output, name)]));
  const result = { ...run, exit, totals, tookMs: Date.now() - run.beganMs };
  // without totals the process has ended before its tests
  result.hasPassed = exit === 0 && totals.tests > 0 && totals.fail + totals.cancelled === 0;
  done.push(result);
  report(result);
}

function lastCount(output, name) {
  return Number([...output.matchAll(new RegExp(`^ℹ ${name} (\\d+)$`, 'gm'))].at(-1)?.[1] ?? 0);
}

function report({ name, exit, totals, output, tookMs, hasPassed }) {
  log.write(`=== ${name}\n${output}\n`);
  // Node's runner reports each failure where it comes and all of them at the end; with the totals seen, the end is enough
  const failures = totals.tests > 0 ? output.lastIndexOf('✖ failing tests:') : -1;
  if (files.length <= FEW) print(output.trimEnd());
  else if (!hasPassed) print(output.slice(Math.max(failures, 0)).trimEnd());
  const failed = hasPassed ? '' : `, ${totals.fail + totals.cancelled} failed, exit ${exit}`;
  print(
    `${hasPassed ? '✔' : '✖'} ${done.length}/${files.length} ${name}: ${totals.tests} tests in ${seconds(tookMs)}${failed}`,
  );
}

/** @returns whether everything has passed */
function summarize() {
  const failed = done.filter(({ hasPassed }) => !hasPassed);
  const slowest = [...done].sort((a, b) => b.tookMs - a.tookMs).slice(0, 10);
  if (files.length > FEW)
    print(`slowest: ${slowest.map(({ name, tookMs }) => `${name} ${seconds(tookMs)}`).join(', ')}`);
  for (const { name } of done.filter(({ isUnsteady }) => isUnsteady))
    print(`unsteady: ${name} failed beside other files and passed alone; its first output is in ${LOG}`);
  if (leftOut.length > 0) print(`left to npm run test:full: ${leftOut.join(', ')}`);
  const notRun = done.flatMap(({ output }) => output.match(/^(NOT RUN: .*|\*\*\* .* \*\*\*)$/gm) ?? []);
  for (const line of new Set(notRun)) print(line);
  for (const { name, exit } of failed) print(`✖ failed: ${name} (exit ${exit}); again: node scripts/test.mjs ${name}`);
  // a file that ended without a failing test has failed all the same
  const sum = (total) => done.reduce((all, { totals }) => all + totals[total], 0);
  const silent = failed.filter(({ totals }) => totals.fail + totals.cancelled === 0).length;
  for (const total of TOTALS) print(`ℹ ${total} ${sum(total) + (total === 'fail' ? silent : 0)}`);
  print(`ℹ duration_ms ${Date.now() - startedMs}`);
  return failed.length === 0;
}

function record() {
  for (const { name, tookMs, output, isForFull } of done) {
    delete weights[name];
    const [user = 0, system = 0] = (/^(\S+) (\S+)\s*$/.exec(output.trimEnd().split('\n').at(-1)) ?? [])
      .slice(1)
      .map(secondsOf);
    const takes = tookMs / 1000;
    const marks = isForFull ? ['full'] : [];
    if (takes >= LEAST_SECONDS || isForFull)
      weights[name] = [Math.round(takes), Math.round(((user + system) / takes) * 10) / 10, ...marks];
  }
  const rows = Object.entries(weights).sort(([, [a]], [, [b]]) => b - a);
  const lines = rows.map(
    ([name, weight]) => `  ${JSON.stringify(name)}: [${weight.map((each) => JSON.stringify(each)).join(', ')}]`,
  );
  writeFileSync(WEIGHTS, `{\n${lines.join(',\n')}\n}\n`);
}

/** @param time as `times` of a shell writes it: 1m2.34s */
function secondsOf(time) {
  const [minutes, rest] = time.split('m');
  return Number(minutes) * 60 + Number.parseFloat(rest);
}

function print(text) {
  lastLineMs = Date.now();
  console.log(text);
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** What has been written of files that do not end shows where they stand. */
function end(signal) {
  for (const { child, name, output } of running) {
    child.kill(signal);
    print(`=== ${name}, not finished\n${output.trimEnd().split('\n').slice(-LAST_LINES).join('\n')}`);
  }
  process.exit(1);
}
