/** What this process has used so far. */
const { readFileSync, writeSync } = require('node:fs');

/** Its peak, of its own: the one of getrusage is inherited from the process that started it. */
function peakKb() {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
}

exports.sayUsed = () => {
  const { user, system } = process.cpuUsage();
  writeSync(1, `used ${JSON.stringify({ cpuMs: (user + system) / 1000, peakMb: peakKb() / 1024 })}\n`);
};
