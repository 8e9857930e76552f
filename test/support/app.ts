/** Runs a program as its operator would: `node -r channel-exporter/register program.js`, on free ports. */
import { type Metrics, parseMetrics } from './metrics';
import { type End, type Program, SYSCODE, startProgram } from './program';
import { until } from './waiting';

export { environment, nodeBinary, SYSCODE } from './program';

export const INNER = `${SYSCODE}_inner_metrics`;
export const PARTNER = 'partner_http_metrics';
export const PARTNER_ERRORS = 'partner_http_errors_total';

/** For a scrape: without it fetch asks for gzip, which costs a test that scrapes often more than what it is for. */
export const UNCOMPRESSED = { headers: { 'accept-encoding': 'identity' } } as const;

/** Waits end with what they wait for; these are for a machine that is busy with other test files. */
const START_LIMIT_MS = 60_000;
const METRICS_LIMIT_MS = 15_000;
/** For the line of a program that says that it is ready; many have none. */
const START_LINE_LIMIT_MS = 50;

export interface AppOptions {
  /** Added to the environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly args?: readonly string[];
  /** Arguments of node before the script. Default: `-r channel-exporter/register`. */
  readonly nodeArgs?: readonly string[];
  readonly cwd?: string;
  /** The node binary. Default: the one that runs the test, or the one in TEST_NODE. */
  readonly node?: string;
  /** What a program says on stdout when it listens, with its port. Default: a line `ready <port>`. */
  readonly ready?: RegExp;
}

export interface App {
  /** What the program said after `ready`: its port, unless it says otherwise. */
  readonly port: number;
  /** Address of the scrape, from the start-up line; empty when there is none. */
  readonly metricsUrl: string;
  readonly child: Program['child'];
  stdout(): string;
  stderr(): string;
  /** Scrapes and checks the text. */
  metrics(): Promise<Metrics>;
  /** Scrapes until the check passes; a measurement may be recorded shortly after the client has its answer. */
  metricsWhen(isThere: (metrics: Metrics) => boolean, limitMs?: number): Promise<Metrics>;
  /** Ends the process and waits for it. */
  stop(): Promise<void>;
  /** Waits until the process ends by itself. */
  exited(): Promise<End>;
}

/**
 * Starts a program and waits until it says on stdout that it listens.
 * @param script absolute, or relative to the project
 */
export async function runApp(script: string, options: AppOptions = {}): Promise<App> {
  const nodeArgs = options.nodeArgs ?? ['-r', 'channel-exporter/register'];
  const { node, env, cwd, args = [] } = options;
  const program = startProgram({ command: node, env, cwd, args: [...nodeArgs, script, ...args] });
  const { child, stdout, stderr } = program;
  const ready = await waitFor(
    () => (options.ready ?? /^ready (\d+)$/m).exec(stdout()),
    START_LIMIT_MS,
    () => child.exitCode !== null,
  );
  if (ready === undefined) {
    child.kill('SIGKILL');
    throw new Error(`the program did not become ready\nstdout: ${stdout()}\nstderr: ${stderr()}`);
  }
  const metricsUrl = () => /(https?:\/\/\S+\/metrics);/.exec(stderr())?.[1] ?? '';
  // the line follows the application's listening, and comes by another pipe than what the program says
  await waitFor(
    () => metricsUrl() || null,
    START_LINE_LIMIT_MS,
    () => child.exitCode !== null,
  );
  const scrape = async () => {
    // a program that neither listens nor measures has its port announced after 10 s
    await until(
      () => metricsUrl() !== '',
      () => `no line names the scrape: ${stderr()}`,
    );
    const response = await fetch(metricsUrl(), UNCOMPRESSED);
    const text = await response.text();
    if (response.status !== 200) throw new Error(`the scrape answered ${response.status}: ${text}`);
    return parseMetrics(text);
  };
  return {
    port: Number(ready[1]),
    get metricsUrl() {
      return metricsUrl();
    },
    child,
    stdout,
    stderr,
    metrics: scrape,
    async metricsWhen(isThere, limitMs = METRICS_LIMIT_MS) {
      const end = Date.now() + limitMs;
      for (;;) {
        const metrics = await scrape();
        if (isThere(metrics)) return metrics;
        if (Date.now() > end) throw new Error(`the metrics did not come\n${metrics.text}\nstderr: ${stderr()}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    stop: program.stop,
    exited: () => program.closed,
  };
}

async function waitFor<T>(look: () => T | null, limitMs: number, isOver: () => boolean): Promise<T | undefined> {
  const end = Date.now() + limitMs;
  while (Date.now() < end) {
    const found = look();
    if (found !== null) return found;
    if (isOver()) return undefined;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return undefined;
}
