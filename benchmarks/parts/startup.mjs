/** What a preload adds to the start of a program: time, CPU time, peak of memory. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pinned } from '../support/cores.mjs';
import { BENCHMARKS, environment, freePort, OTHERS, OURS, ROOT, withOtherBuild } from '../support/program.mjs';
import { interleave, spread } from '../support/statistics.mjs';
import { spreadText, table } from '../support/tables.mjs';

const BARE = 'node';
const PROGRAMS = { nothing: 'apps/start-nothing.js', server: 'apps/start-server.js' };
const TITLES = { nothing: 'a program that does nothing', server: 'a server, up to its first answer' };
const ROUNDS = { full: 21, short: 5 };
/** Nothing is exported: what is measured is loading and patching. */
const AUTO_ENV = { OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none', OTEL_LOGS_EXPORTER: 'none' };
const module = (name) => ['-r', join(BENCHMARKS, 'node_modules', name)];

const VARIANTS = {
  [BARE]: { nodeArgs: [] },
  'channel-exporter/register': { nodeArgs: OURS },
  ...withOtherBuild({ 'another build': { nodeArgs: OTHERS } }),
  'prom-client': { nodeArgs: module('prom-client') },
  'MeterProvider and instrumentation-http': { nodeArgs: ['-r', join(BENCHMARKS, 'peers/otel-metrics.js')] },
  'auto-instrumentations-node/register': {
    nodeArgs: module('@opentelemetry/auto-instrumentations-node/build/src/register.js'),
    env: AUTO_ENV,
  },
};

export function sections({ length, rounds = ROUNDS[length], isWanted }) {
  const names = Object.keys(VARIANTS).filter((name) => name === BARE || isWanted(name));
  return Object.keys(PROGRAMS).map((program) => [program, () => measureStart(PROGRAMS[program], rounds, names)]);
}

async function measureStart(script, rounds, names) {
  // the first start of each reads its files from the disk
  for (const name of names) await start(script, VARIANTS[name]);
  const samples = await interleave(names, rounds, (name) => start(script, VARIANTS[name]));
  return Object.fromEntries(
    names.map((name) => {
      const of = (key) => spread(samples[name].map((sample) => sample[key]));
      return [name, { wallMs: of('wallMs'), cpuMs: of('cpuMs'), peakMb: of('peakMb') }];
    }),
  );
}

/** Starts a program and waits for its end. */
async function start(script, { nodeArgs, env = {} }) {
  const command = pinned('measured', [process.execPath, ...nodeArgs, join(BENCHMARKS, script)]);
  const port = String(await freePort());
  const startedMs = performance.now();
  const child = spawn(command[0], command.slice(1), {
    cwd: ROOT,
    env: environment({ OTEL_EXPORTER_PROMETHEUS_PORT: port, ...env }),
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const closed = once(child, 'close');
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  await once(child, 'exit');
  const wallMs = performance.now() - startedMs;
  await closed;
  const used = /^used (.*)$/m.exec(said)?.[1];
  if (used === undefined) throw new Error(`${command.join(' ')} did not say what it used\n${said}`);
  return { wallMs, ...JSON.parse(used) };
}

export function tables(results) {
  return Object.keys(PROGRAMS)
    .filter((program) => results.has(program))
    .map((program) => {
      const head = [TITLES[program], 'time, ms', 'CPU time, ms', 'peak of memory, MB', 'added, ms', 'added, MB'];
      const { data } = results.get(program);
      const { [BARE]: node } = data;
      const rows = Object.entries(data).map(([name, { wallMs, cpuMs, peakMb }]) => [
        name,
        ...[wallMs, cpuMs, peakMb].map((value) => spreadText(value, 0)),
        (wallMs.median - node.wallMs.median).toFixed(0),
        (peakMb.median - node.peakMb.median).toFixed(1),
      ]);
      return table(head, rows);
    });
}
