/**
 * How long the event loop is kept from its next turn, by two clocks.
 *
 * A clock on the wall also shows when the system let something else run. So the CPU time of the main thread is read too:
 * a block of our own making takes as much of it on a busy machine as on a quiet one.
 */
const { openSync, readSync } = require('node:fs');

const NS_PER_MS = 1e6;
const schedstat = openSync(`/proc/self/task/${process.pid}/schedstat`);
const text = Buffer.alloc(128);

let isWatching = false;
let last = { cpuMs: 0, wallMs: 0 };
let longest = { cpuMs: 0, wallMs: 0 };

exports.watch = () => {
  isWatching = true;
  longest = { cpuMs: 0, wallMs: 0 };
  last = clocks();
  setImmediate(turn);
};

/** @returns the longest turn by either clock, which need not be the same one */
exports.longestTurn = () => {
  isWatching = false;
  return longest;
};

/** Runs in every turn of the loop. */
function turn() {
  const now = clocks();
  for (const clock of ['cpuMs', 'wallMs']) longest[clock] = Math.max(longest[clock], now[clock] - last[clock]);
  last = now;
  if (isWatching) setImmediate(turn);
}

/** Takes 5 µs. */
function clocks() {
  // getrusage() adds up to this moment what schedstat otherwise shows as of the last tick
  process.cpuUsage();
  const length = readSync(schedstat, text, 0, text.length, 0);
  return { cpuMs: Number(text.latin1Slice(0, length).split(' ', 1)[0]) / NS_PER_MS, wallMs: performance.now() };
}
