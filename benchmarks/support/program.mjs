/**
 * The programs that are measured: started on their core, stopped while others are measured, asked for their CPU time
 * from outside so that the question costs them nothing.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { pinned } from './cores.mjs';

export const ROOT = join(import.meta.dirname, '../..');
export const BENCHMARKS = join(ROOT, 'benchmarks');
export const SYSCODE = 'A123010101';
/** The package as it was built; `-r` finds it from the project's folder, as in an application that installed it. */
export const OURS = ['-r', 'channel-exporter/register'];
/** The same of another checkout that has been built, to be compared with; empty where none is named. */
export const OTHERS = process.env.BENCH_OTHER_BUILD
  ? ['-r', resolve(process.env.BENCH_OTHER_BUILD, 'dist/register.js')]
  : [];
/** Rows of {@link OTHERS}, where there are any. */
export const withOtherBuild = (rows) => (OTHERS.length === 0 ? {} : rows);

const START_LIMIT_MS = 20_000;
const NS_PER_MS = 1e6;
const STEERING = /^(SYSCODE|ENV$|CHANNEL_EXPORTER_|OTEL_|NODE_)/;

const children = new Set();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

/** This process's environment without what would steer the exporter or a peer. */
export function environment(wanted = {}) {
  const clean = Object.entries(process.env).filter(([name]) => !STEERING.test(name));
  return { ...Object.fromEntries(clean), NODE_ENV: 'production', SYSCODE, CHANNEL_EXPORTER_PORT: '0', ...wanted };
}

/**
 * Starts a program and waits for its line `ready <port>`.
 * @param {string} script below benchmarks/
 * @param {{ args?: string[], nodeArgs?: string[], env?: object, role?: 'measured' | 'load' }} options
 */
export async function startProgram(script, { args = [], nodeArgs = [], env = {}, role = 'measured' } = {}) {
  const command = pinned(role, [process.execPath, ...nodeArgs, join(BENCHMARKS, script), ...args]);
  const child = spawn(command[0], command.slice(1), {
    cwd: ROOT,
    env: environment(env),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  children.add(child);
  let said = '';
  let complained = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    complained += text;
  });
  const lines = createInterface({ input: child.stdout });
  const answers = [];
  lines.on('line', (line) => {
    if (line.startsWith('answer ')) answers.shift()?.(JSON.parse(line.slice('answer '.length)));
    else said += `${line}\n`;
  });
  const port = Number(await until(() => /^ready (\d+)$/m.exec(said)?.[1]));

  async function until(look) {
    for (const limit = Date.now() + START_LIMIT_MS; Date.now() < limit && child.exitCode === null; ) {
      const found = look();
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`${script} ${args.join(' ')} has not come so far\n${said}${complained}`);
  }

  return {
    port,
    url: `http://127.0.0.1:${port}`,
    /** What our exporter says of itself. */
    ownScrapeUrl: () =>
      until(() => /(http:\/\/\S+\/metrics);/.exec(complained)?.[1]?.replace('localhost', '127.0.0.1')),
    /** CPU time of all its threads so far. */
    cpuMs: () => cpuMs(child.pid),
    /** Out of the way of those that are measured. */
    pause: () => child.kill('SIGSTOP'),
    resume: () => child.kill('SIGCONT'),
    /** Sends a line to support/control.js in the program. @returns what it answers */
    ask(question, ...values) {
      const answer = new Promise((resolve, reject) => {
        answers.push(resolve);
        child.once('exit', () => reject(new Error(`${script} has ended: ${complained}`)));
      });
      child.stdin.write(`${JSON.stringify([question, ...values])}\n`);
      return answer.finally(() => child.removeAllListeners('exit'));
    },
    async stop() {
      children.delete(child);
      if (child.exitCode !== null || child.signalCode !== null) return;
      const end = once(child, 'close');
      child.kill('SIGKILL');
      await end;
    },
  };
}

/** The first field of schedstat is time on a CPU, in nanoseconds; /proc/PID/stat would give hundredths of a second. */
function cpuMs(pid) {
  let ns = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    ns += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
  }
  return ns / NS_PER_MS;
}

/** @returns a port that nobody listens on, for programs that cannot say which one they took */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
