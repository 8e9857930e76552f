// What process_* and nodejs_* cost: one reading, sampling the event loop's delay at rest and under load, and following
// garbage collections. Run `npm run build` first; the figures are in docs/performance.md.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { monitorEventLoopDelay, PerformanceObserver, performance } from 'node:perf_hooks';

const dist = createRequire(new URL('../dist/package.json', import.meta.url));
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

/** Microseconds of CPU time that some work takes, of one round; threads included. */
async function cpuOf(rounds, work) {
  const before = process.cpuUsage();
  for (let round = 0; round < rounds; round++) await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / rounds;
}

/** Of each step beside the event loop, how long it held it at most, in milliseconds. */
async function longestPause(work) {
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 1);
  await work();
  await pause(5);
  clearInterval(timer);
  return longest;
}

/** Of node: many short collections, all on one thread. */
const ARGUMENTS = { garbage: ['--max-semi-space-size=1', '--single-threaded'] };

const parts = {
  async reading() {
    const { RuntimeMetrics } = dist('./src/runtime-metrics');
    const metrics = new RuntimeMetrics();
    for (let round = 0; round < 200; round++) await metrics.read();
    console.log(`a reading: ${(await cpuOf(1_000, () => metrics.read())).toFixed(0)} µs of CPU time`);
    const timers = Array.from({ length: 10_000 }, () => setTimeout(() => undefined, 60_000));
    console.log(`the same with 10,000 timers: ${(await cpuOf(200, () => metrics.read())).toFixed(0)} µs`);
    for (const timer of timers) clearTimeout(timer);
    console.log(`of ${JSON.stringify(await metrics.read()).length} characters as a message`);
    metrics.end();
  },
  async files() {
    const SPARE = 20;
    const { countEntries, openFiles } = dist('./src/runtime-metrics/open-files');
    const open = [];
    try {
      while (open.length < 20_000) open.push(openSync('/dev/null'));
    } catch {
      // as many as the system allows
      for (const each of open.splice(-SPARE)) closeSync(each);
    }
    const known = await cpuOf(100, () => openFiles());
    const began = performance.now();
    const held = await longestPause(() => countEntries('/proc/self/fd'));
    const took = performance.now() - began;
    const anyway = await longestPause(() => pause(took));
    for (const each of open) closeSync(each);
    console.log(`${open.length} descriptors: ${known.toFixed(0)} µs where the system knows their number;`);
    console.log(
      `  counted in ${took.toFixed(0)} ms, which hold the event loop for ${held.toFixed(1)} ms at most (without: ${anyway.toFixed(1)} ms)`,
    );
  },
  async rest() {
    const usedIn = async (ms) => {
      const before = process.cpuUsage();
      await pause(ms);
      const { user, system } = process.cpuUsage(before);
      return ((user + system) / 1_000 / ms) * 100;
    };
    await pause(2_000);
    const without = await usedIn(10_000);
    const delays = monitorEventLoopDelay({ resolution: 20 });
    delays.enable();
    const before = performance.eventLoopUtilization();
    const sampled = await usedIn(10_000);
    const busy = performance.eventLoopUtilization(before).utilization * 100;
    delays.disable();
    console.log(
      `at rest: ${without.toFixed(3)} % of a core, while the delay is sampled ${sampled.toFixed(3)} %, loop busy ${busy.toFixed(3)} %`,
    );
  },
  async garbage() {
    let kept = [];
    const allocate = () => {
      for (let each = 0; each < 2_000_000; each++) {
        kept.push({ each });
        if (kept.length > 1_000) kept = [];
      }
      return new Promise(setImmediate);
    };
    let collections = 0;
    const counter = new PerformanceObserver((list) => {
      collections += list.getEntries().length;
    });
    const rounds = { with: [], without: [] };
    await cpuOf(10, allocate);
    for (let round = 0; round < 30; round++) {
      rounds.without.push(await cpuOf(1, allocate));
      counter.observe({ entryTypes: ['gc'] });
      rounds.with.push(await cpuOf(1, allocate));
      await new Promise(setImmediate);
      counter.disconnect();
    }
    const each = (median(rounds.with) - median(rounds.without)) / (collections / rounds.with.length);
    console.log(`a garbage collection: ${each.toFixed(0)} µs more (${collections} of them)`);
  },
};

if (process.argv[2] !== undefined) await parts[process.argv[2]]();
else {
  for (const part of Object.keys(parts)) {
    await once(fork(new URL(import.meta.url), [part], { execArgv: ARGUMENTS[part] ?? [] }), 'exit');
  }
}
