/**
 * Instructions of the hot functions, counted by callgrind: the same on a busy machine, so that small steps can be told
 * from noise. Each is run so often and twice so often; the difference is what the runs cost, without start and warm-up.
 */
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BENCHMARKS, environment } from '../support/program.mjs';
import { median } from '../support/statistics.mjs';
import { grouped, table } from '../support/tables.mjs';

/** Runs of each: enough for V8 to be done with compiling by the end of the warm-up, and no more than patience has. */
const RUNS = {
  'empty-call': 10_000,
  record: 10_000,
  'inbound-bare': 10_000,
  'inbound-exchange': 10_000,
  'express-bare': 3_000,
  'express-exchange': 3_000,
  'scan-100B': 10_000,
  'scan-10kB': 2_000,
  'scan-10kB-behind': 300,
  'partner-lookup': 10_000,
  'partner-lookup-other': 10_000,
};
/** Names of the files in hot/ that are counted. */
export const HOT_FUNCTIONS = Object.keys(RUNS);
const ROUNDS = { full: 3, short: 1 };
/** One thread and no chance: V8 compiles, collects and hashes alike in each run. */
const NODE_FLAGS = ['--predictable', '--single-threaded', '--hash-seed=1', '--random-seed=1'];

export function sections({ length, rounds = ROUNDS[length] }) {
  if (spawnSync('valgrind', ['--version']).status !== 0) {
    console.error('WARNING: no valgrind; instructions are not counted');
    return [];
  }
  return HOT_FUNCTIONS.map((name) => [name, () => countInstructions(name, rounds)]);
}

async function countInstructions(name, rounds) {
  const runs = RUNS[name];
  const perRun = [];
  for (let round = 0; round < rounds; round++) {
    const once = await collected(name, runs, runs);
    const twice = await collected(name, runs, 2 * runs);
    perRun.push((twice - once) / runs);
  }
  return { instructions: median(perRun), least: Math.min(...perRun), most: Math.max(...perRun) };
}

/** @returns instructions of a whole process */
async function collected(name, warmUp, times) {
  const args = ['--tool=callgrind', '--callgrind-out-file=/dev/null', process.execPath, ...NODE_FLAGS];
  const script = [join(BENCHMARKS, 'hot/run.js'), `${name}.js`, `${warmUp}`, `${times}`];
  const { stderr } = await promisify(execFile)('valgrind', [...args, ...script], { env: environment() });
  const count = /Collected : (\d+)/.exec(stderr)?.[1];
  if (count === undefined) throw new Error(`valgrind did not count ${name}\n${stderr}`);
  return Number(count);
}

export function tables(results) {
  const rows = Object.keys(RUNS)
    .filter((name) => results.has(name))
    .map((name) => {
      const { instructions, least, most } = results.get(name).data;
      return [name, grouped(instructions), `${grouped(least)}–${grouped(most)}`];
    });
  return [table(['instructions per run', 'median', 'from–to'], rows)];
}
