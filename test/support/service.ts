/** Runs a service of several processes on a fixed port of the scrape, in a world of its own, and counts its requests. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { INNER } from './app';
import { type Metrics, parseMetrics } from './metrics';
import { FIXTURES, ROOT } from './paths';
import { type Program, type ProgramOptions, startProgram } from './program';
import { freePort, until } from './waiting';

export { until };

export const PROGRAMS = join(FIXTURES, 'processes');
export const PRELOAD = ['-r', 'channel-exporter/register'] as const;
/** For programs that do not run in the project's folder. */
export const PRELOAD_PATH = join(ROOT, 'dist/register.js');
const ANSWER_LIMIT_MS = 5_000;

export type ServiceOptions = Pick<ProgramOptions, 'command' | 'args' | 'env' | 'cwd' | 'uid'>;

/** A line `ready <port> <pid>` that some process of the service has written. */
export interface Ready {
  readonly port: number;
  readonly pid: number;
}

export interface Service {
  readonly child: Program['child'];
  output(): string;
  /** Lines of ours that hold a text. */
  said(text: string): string[];
  ready(count: number, limitMs?: number): Promise<Ready[]>;
  stop(): Promise<void>;
}

/** A folder for sockets and files, and a port for the scrape, that nobody else has. */
export interface World {
  readonly folder: string;
  readonly port: number;
  start(options: ServiceOptions): Service;
  scrape(): Promise<Metrics>;
  /** Scrapes, while nobody answers too, until the check passes. */
  scrapeWhen(isThere: (metrics: Metrics) => boolean): Promise<Metrics>;
  /** Scrapes until so many requests to /x are counted; waits no longer when there are more. */
  counted(requests: number): Promise<Metrics>;
  end(): Promise<void>;
}

export async function openWorld(): Promise<World> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'chx-')));
  const port = await freePort();
  const services: Service[] = [];
  const scrape = async () => parseMetrics(await ask(port, '/metrics'));
  const scrapeWhen: World['scrapeWhen'] = async (isThere) => {
    let last: Metrics | undefined;
    await until(
      async () => {
        last = await scrape().catch(() => last);
        return last !== undefined && isThere(last);
      },
      `the scrape did not come; ${services.map((each) => each.output()).join('\n')}`,
    ).catch((error: Error) => {
      throw new Error(`${error.message}\n${last?.text.replace(/^.*_bucket.*\n|^#.*\n/gm, '')}`);
    });
    return last as Metrics;
  };
  return {
    folder,
    port,
    start(options) {
      const service = startService({
        ...options,
        env: { CHANNEL_EXPORTER_PORT: String(port), TMPDIR: folder, XDG_RUNTIME_DIR: undefined, ...options.env },
      });
      services.push(service);
      return service;
    },
    scrape,
    scrapeWhen,
    counted: (requests) => scrapeWhen((metrics) => countOf(metrics) >= requests),
    async end() {
      for (const service of services) await service.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function startService(options: ServiceOptions): Service {
  const { child, output, stop } = startProgram({ ...options, isGroup: true });
  const readyLines = () =>
    Array.from(output().matchAll(/ready (\d+) (\d+)$/gm), ([, port, pid]) => ({
      port: Number(port),
      pid: Number(pid),
    }));
  return {
    child,
    output,
    said: (text) =>
      output()
        .split('\n')
        .filter((line) => line.startsWith('channel-exporter: ') && line.includes(text)),
    async ready(count, limitMs) {
      await until(
        async () => readyLines().length >= count,
        () => `not ready: ${output()}`,
        limitMs,
      );
      return readyLines();
    },
    stop,
  };
}

/** One GET over a connection of its own. @returns the body of a 200 */
export function ask(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path, agent: false, headers: { 'user-agent': 'T' } });
    outgoing.on('error', reject);
    // a cluster may hand a connection to a worker that is dead already
    outgoing.setTimeout(ANSWER_LIMIT_MS, () => outgoing.destroy(new Error('no answer')));
    outgoing.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      response.on('error', reject);
      response.on('end', () => (response.statusCode === 200 ? resolve(text) : reject(new Error(text))));
    });
    outgoing.end();
  });
}

/** Sends requests to /x, a few at a time. */
export async function send(port: number, requests: number): Promise<void> {
  let left = requests;
  const sender = async () => {
    while (left-- > 0) await ask(port, '/x');
  };
  await Promise.all(Array.from({ length: 4 }, sender));
}

/** Requests to /x that the scrape has counted. */
export function countOf(metrics: Metrics): number {
  const series = metrics.counts(INNER).filter(({ labels }) => labels.path === '/x');
  return series.reduce((sum, { count }) => sum + count, 0);
}

/** The value of a sample of the hub's state. */
export function stateOf(metrics: Metrics, family: string, labels: Readonly<Record<string, string>> = {}): number {
  const isWanted = (other: Readonly<Record<string, string>>) =>
    Object.entries(labels).every(([name, value]) => other[name] === value);
  return metrics.samples.find((sample) => sample.name === family && isWanted(sample.labels))?.value ?? 0;
}
