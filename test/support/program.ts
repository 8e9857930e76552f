/** Starts a program, collects what it writes, and ends it with the test file: what all harnesses of programs share. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { endsWithUs } from './left-behind';
import { ROOT } from './paths';

export const SYSCODE = 'A123010101';

export interface ProgramOptions {
  /** Default: the node binary under test. */
  readonly command?: string | undefined;
  readonly args: readonly string[];
  /** Added to the environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Default: the project. */
  readonly cwd?: string | undefined;
  /** User that it runs as; only root may set it. */
  readonly uid?: number | undefined;
  /** Whether it gets a standard input, which keeps one that reads it. */
  readonly hasInput?: boolean;
  /** Whether it leads a group of processes, so that what it starts is ended with it. */
  readonly isGroup?: boolean;
}

/** How a program ended. */
export interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Program {
  /** Its `stdin` is there where it was asked for. */
  readonly child: ChildProcessByStdio<Writable | null, Readable, Readable>;
  stdout(): string;
  stderr(): string;
  /** Both, as they came. */
  output(): string;
  /** When it has ended and everything that it wrote is here. */
  readonly closed: Promise<End>;
  /** Ends it, with its group if it leads one, and waits for it. */
  stop(): Promise<void>;
}

/** The node binary under test. */
export function nodeBinary(): string {
  return process.env.TEST_NODE ?? process.execPath;
}

/** The environment of a program: this one's without anything that would steer the exporter, and the wanted. */
export function environment(wanted: ProgramOptions['env'] = {}): NodeJS.ProcessEnv {
  const clean = Object.entries(process.env).filter(
    ([name]) => !/^(SYSCODE|ENV$|CHANNEL_EXPORTER_|OTEL_|NODE_)/.test(name),
  );
  const env: NodeJS.ProcessEnv = { ...Object.fromEntries(clean), SYSCODE, CHANNEL_EXPORTER_PORT: '0', ...wanted };
  for (const [name, value] of Object.entries(env)) if (value === undefined) delete env[name];
  return env;
}

/** Starts a program; one that cannot be started has its error in `output()`. */
export function startProgram({ command, args, env, cwd, uid, ...options }: ProgramOptions): Program {
  const { hasInput = false, isGroup = false } = options;
  const child = spawn(command ?? nodeBinary(), args, {
    cwd: cwd ?? ROOT,
    env: environment(env),
    stdio: [hasInput ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    ...(uid === undefined ? {} : { uid, gid: uid }),
    detached: isGroup,
  }) as Program['child'];
  endsWithUs(child);
  const texts = { stdout: '', stderr: '', output: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      texts[stream] += text;
      texts.output += text;
    });
  }
  child.on('error', (error) => {
    texts.output += String(error);
  });
  const exited = once(child, 'exit');
  return {
    child,
    stdout: () => texts.stdout,
    stderr: () => texts.stderr,
    output: () => texts.output,
    closed: once(child, 'close').then(([code, signal]) => ({ code, signal })),
    async stop() {
      try {
        process.kill(isGroup ? -(child.pid as number) : (child.pid as number), 'SIGKILL');
      } catch {
        // it has ended, and nothing is left of its group
      }
      if (child.exitCode === null && child.signalCode === null) await exited;
    },
  };
}
