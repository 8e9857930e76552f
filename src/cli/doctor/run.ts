/**
 * Runs an application under the preload for some seconds, in a world of its own: a free port, and directories in which it
 * does not meet the processes of a service that is running already.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { download } from '../scrape/download';
import { type ScrapedFamily, ScrapeReader } from '../scrape/families';
import { LogLines } from './log-lines';
import { freePort } from './port';

export interface RunOptions {
  readonly command: readonly string[];
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly seconds: number;
  /** Gets what the application writes. */
  readonly onOutput: (bytes: Buffer) => void;
}

/** What came of it. */
export interface RunFacts {
  /** How long it ran; shorter than was wanted where it ended, or the user ended the wait. */
  readonly seconds: number;
  /** How it ended before its time; undefined: it was ended. */
  readonly ended:
    | { readonly code: number | null; readonly signal: string | null; readonly afterSeconds: number }
    | undefined;
  /** Why the command could not be started. */
  readonly failed: string | undefined;
  /** Lines of the exporter, without its prefix. */
  readonly lines: readonly string[];
  /** The last scrape; undefined where there was none. */
  readonly families: readonly ScrapedFamily[] | undefined;
  /** Whether it had to be killed. */
  readonly wasKilled: boolean;
}

/** Variables that would have the scrape encrypted, or asked for with a password. */
const GUARDS = /^CHANNEL_EXPORTER_(?:\w+_)?(?:TLS|CERT|KEY|AUTH|USER|PASSWORD|WEB_CONFIG)/;
const SCRAPE_EVERY_MS = 500;
const SCRAPE_LIMIT_MS = 5_000;
/** Between SIGTERM and SIGKILL. */
const PATIENCE_MS = 5_000;
/** Between the end of the application and that of its output, which its children may hold open. */
const OUTPUT_LIMIT_MS = 500;

export async function runApplication(options: RunOptions): Promise<RunFacts> {
  const world = mkdtempSync(join(tmpdir(), 'chx-doctor-'));
  try {
    return await runIn(world, options);
  } finally {
    rmSync(world, { recursive: true, force: true });
  }
}

async function runIn(world: string, { command, folder, env, seconds, onOutput }: RunOptions): Promise<RunFacts> {
  const port = await freePort();
  const [file = '', ...args] = command;
  const child = spawn(file, args, {
    cwd: folder,
    env: environmentIn(world, port, folder, env),
    // of a terminal, a process of a group of its own may not read
    stdio: [process.stdin.isTTY ? 'ignore' : 'inherit', 'pipe', 'pipe'],
    // a group of its own, so that what it starts is ended with it
    detached: true,
  });
  const log = new LogLines(onOutput);
  child.stdout?.on('data', onOutput);
  child.stderr?.on('data', (bytes: Buffer) => log.add(bytes));
  const startedMs = Date.now();
  let failed: string | undefined;
  let ended: RunFacts['ended'];
  const isOver = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      failed = error.message;
      resolve();
    });
    child.once('exit', (code, signal) => {
      ended = { code, signal, afterSeconds: (Date.now() - startedMs) / 1000 };
      resolve();
    });
  });
  // the user has seen enough: the report comes all the same
  const stop = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
  });
  const families = await observe(port, seconds * 1000, Promise.race([isOver, stop]));
  const endedItself = ended;
  const tookSeconds = Math.min(seconds, Math.max(1, Math.round((Date.now() - startedMs) / 1000)));
  const wasKilled = failed === undefined && (await end(child, isOver));
  if (failed === undefined) await outputEnds(child);
  log.end();
  return { seconds: tookSeconds, ended: endedItself, failed, lines: log.lines, families, wasKilled };
}

function environmentIn(world: string, port: number, folder: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const register = registerOf(folder);
  const flag = `-r "${register.replace(/[\\"]/g, '\\$&')}"`;
  // the scrape of this run is for this machine alone: an empty variable counts as unset
  const guards = Object.keys(env).filter((name) => GUARDS.test(name));
  return {
    ...env,
    ...Object.fromEntries(guards.map((name) => [name, ''])),
    NODE_OPTIONS: [env.NODE_OPTIONS, flag].filter(Boolean).join(' '),
    CHANNEL_EXPORTER_PORT: String(port),
    CHANNEL_EXPORTER_HOST: '127.0.0.1',
    CHANNEL_EXPORTER_LOG_LEVEL: 'debug',
    // where processes of a service find each other
    TMPDIR: world,
    XDG_RUNTIME_DIR: world,
  };
}

/** The preload of the copy that the application has, or else of this one. */
function registerOf(folder: string): string {
  try {
    return createRequire(join(folder, 'package.json')).resolve('channel-exporter/register');
  } catch {
    return join(__dirname, '../../../register.js');
  }
}

/** @returns the last scrape that was answered, within the time or until it is over */
async function observe(port: number, forMs: number, isOver: Promise<void>): Promise<RunFacts['families']> {
  let last: RunFacts['families'];
  let isEnded = false;
  const time = new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, forMs);
    isOver.then(() => clearTimeout(timer));
  });
  const end = Promise.race([isOver, time]).then(() => {
    isEnded = true;
  });
  while (!isEnded) {
    await Promise.race([end, new Promise((resolve) => setTimeout(resolve, SCRAPE_EVERY_MS))]);
    last = (await scrape(port)) ?? last;
  }
  return last;
}

async function scrape(port: number): Promise<RunFacts['families']> {
  const reader = new ScrapeReader();
  try {
    const url = new URL(`http://127.0.0.1:${port}/metrics`);
    await download(url, { timeoutMs: SCRAPE_LIMIT_MS, onLine: reader.line });
    return reader.families;
  } catch {
    return undefined;
  }
}

/** Ends its group, politely first. @returns whether it had to be killed */
async function end(child: ChildProcess, isOver: Promise<void>): Promise<boolean> {
  signalGroup(child, 'SIGTERM');
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), PATIENCE_MS);
  });
  const outcome = await Promise.race([isOver, late]);
  clearTimeout(timer);
  // also what its children have left
  signalGroup(child, 'SIGKILL');
  await isOver;
  return outcome === 'late';
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // nothing is left of it; or there are no groups, as on Windows
    child.kill(signal);
  }
}

function outputEnds(child: ChildProcess): Promise<unknown> {
  const streams = [child.stdout, child.stderr].filter((stream) => stream !== null);
  const closed = Promise.all(
    streams.map((stream) => (stream.closed ? undefined : new Promise((resolve) => stream.once('close', resolve)))),
  );
  const limit = new Promise((resolve) => setTimeout(resolve, OUTPUT_LIMIT_MS));
  return Promise.race([closed, limit]).then(() => {
    for (const stream of streams) stream.destroy();
  });
}
