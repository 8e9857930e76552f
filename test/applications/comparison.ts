/** Runs an application bare and under `node -r channel-exporter/register`: the same is asked of both, in the same order. */
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { INNER } from '../support/app';
import { layApplication } from '../support/laid-application';
import type { Labels, Metrics } from '../support/metrics';
import { nodeOfLine, ownLine } from '../support/node-versions';
import { nodeBinary } from '../support/program';
import { ask, openWorld, PRELOAD, type World } from '../support/service';
import { freePort, until } from '../support/waiting';
import type { Application, Side } from './application';
import { type Answer, LOAD_AGENT, sendLoad, USER_AGENT } from './exchange';

const START_LIMIT_MS = 120_000;
const END_LIMIT_MS = 20_000;
/** Memory is read until the collector has had time for what the load has left. */
const REST = { readings: 20, everyMs: 100 } as const;

export interface Seen {
  readonly answers: readonly Answer[];
  /** Of all processes together, the least within two seconds after the load. */
  readonly residentBytes: number;
  /** The highest that the process that was started has had. */
  readonly peakBytes: number;
  /** How it ended after SIGTERM. */
  readonly end: string;
  /** Lines of the exporter's that warn. */
  readonly warnings: readonly string[];
  readonly report: readonly string[];
  /** What the application's own check has thrown. */
  readonly fault: unknown;
}

export interface Compared {
  readonly bare: Seen;
  readonly measured: Seen;
  /** Of the measured side: `path http_status code` and how often, by who asked. */
  readonly counted: Readonly<Record<string, number>>;
  readonly countedLoad: Readonly<Record<string, number>>;
}

/** @throws {Error} where the application cannot be installed, started or used */
export async function compare(application: Application): Promise<Compared> {
  const laid = layApplication(application.installation);
  const world = await openWorld();
  try {
    const node = nodeFor(application);
    const port = await freePort();
    const runner = { application, folder: laid.folder, world, node, port };
    const bare = await run({ ...runner, isMeasured: false });
    const measured = await run({ ...runner, isMeasured: true });
    const { metrics } = measured;
    return {
      bare,
      measured,
      counted: countsOf(metrics as Metrics, USER_AGENT),
      countedLoad: countsOf(metrics as Metrics, LOAD_AGENT),
    };
  } finally {
    application.end?.();
    await world.end();
    laid.remove();
  }
}

interface Run {
  readonly application: Application;
  readonly folder: string;
  readonly world: World;
  readonly node: string;
  readonly port: number;
  readonly isMeasured: boolean;
}

async function run(options: Run): Promise<Seen & { readonly metrics?: Metrics }> {
  const { application, folder, world, node, port, isMeasured } = options;
  const data = join(world.folder, 'data');
  rmSync(data, { recursive: true, force: true });
  mkdirSync(data);
  const { args, env } = await application.start({ folder, data, port });
  const service = world.start({
    command: node,
    args: [...(isMeasured ? PRELOAD : []), ...args],
    cwd: folder,
    env: { NODE_ENV: 'production', ...env },
  });
  const pid = service.child.pid as number;
  const side: Side = { folder, data, port, service };
  const answers = () =>
    ask(port, application.ready).then(
      () => true,
      () => service.child.exitCode !== null,
    );
  await until(answers, () => `${application.name} does not answer: ${service.output()}`, START_LIMIT_MS);
  if (service.child.exitCode !== null) throw new Error(`${application.name} has ended: ${service.output()}`);
  const given = await application.use(side);
  const { path, requests } = application.load;
  await sendLoad(port, path, requests);
  const residentBytes = await residentAtRest(pid);
  const peakBytes = statusBytes(pid, 'VmHWM');
  const metrics = isMeasured ? await scrapeOf(world, application) : undefined;
  let fault: unknown;
  try {
    if (metrics !== undefined) await application.check?.(metrics, side);
  } catch (error) {
    fault = error;
  }
  const report = application.report?.(side) ?? [];
  const end = await endOf(service.child);
  await service.stop();
  return {
    answers: given.map((answer) => steadyAnswer(application, answer)),
    ...{ residentBytes, peakBytes, end, report, fault },
    warnings: service.said('CHX_'),
    ...(metrics === undefined ? {} : { metrics }),
  };
}

function nodeFor({ name, nodeLine = 0 }: Application): string {
  if (nodeLine <= ownLine) return nodeBinary();
  const node = nodeOfLine(nodeLine);
  if (node === undefined) throw new Error(`${name} needs Node ${nodeLine}, which could not be installed`);
  return node;
}

/** What changes with each start is left out: the date, and what the application names. */
function steadyAnswer({ volatileHeaders = [], steady = (text) => text }: Application, answer: Answer): Answer {
  const headers: string[] = [];
  for (let i = 0; i < answer.headers.length; i += 2) {
    const name = answer.headers[i] as string;
    const isLeftOut = ['date', ...volatileHeaders].includes(name.toLowerCase());
    headers.push(name, isLeftOut ? '' : steady(answer.headers[i + 1] as string));
  }
  return { ...answer, headers, body: steady(answer.body) };
}

/** When all that is expected is there; where it does not come, what is. */
async function scrapeOf(world: World, { series, load }: Application): Promise<Metrics> {
  const sum = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((all, each) => all + each, 0);
  const isThere = (seen: Metrics) =>
    sum(countsOf(seen, USER_AGENT)) >= sum(series) && sum(countsOf(seen, LOAD_AGENT)) >= load.requests;
  return until(async () => isThere(await world.scrape()), 'the series', 5_000).then(
    () => world.scrape(),
    () => world.scrape(),
  );
}

/** @returns `path http_status code` and the method code, if any, of one caller */
export function countsOf(metrics: Metrics, userAgent: string): Record<string, number> {
  const nameOf = ({ path, http_status, code, method_code }: Labels) =>
    [path, http_status, code, method_code].join(' ').trimEnd();
  const own = metrics.counts(INNER).filter(({ labels }) => labels.f_code === userAgent);
  return Object.fromEntries(own.map(({ labels, count }) => [nameOf(labels), count]).sort());
}

async function endOf(child: Side['service']['child']): Promise<string> {
  const timeout = AbortSignal.timeout(END_LIMIT_MS);
  const exited = once(child, 'exit', { signal: timeout }).catch(() => ['still there']);
  child.kill('SIGTERM');
  return (await exited).map(String).join(' ');
}

async function residentAtRest(group: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < REST.readings; i++) {
    await new Promise((resolve) => setTimeout(resolve, REST.everyMs));
    least = Math.min(
      least,
      processesOf(group).reduce((sum, pid) => sum + statusBytes(pid, 'VmRSS'), 0),
    );
  }
  return least;
}

/** Processes of a group: that which was started, and what it has started. */
function processesOf(group: number): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => {
    try {
      // behind the name, which may contain anything: state, parent, group; proc(5)
      const [, , processGroup] = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
      return Number(processGroup) === group;
    } catch {
      return false;
    }
  });
}

function statusBytes(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  try {
    return (
      Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
    );
  } catch {
    return 0; // it has ended
  }
}
