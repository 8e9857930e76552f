/** A program that calls others as it is told, with the exporter and without. */
import { createInterface } from 'node:readline';
import { UNCOMPRESSED } from './app';
import { type Labels, type Metrics, parseMetrics } from './metrics';
import { FIXTURES } from './paths';
import { startProgram } from './program';
import { until } from './waiting';

/** One call; what it may say stands in the program. */
export type Order = Readonly<Record<string, unknown>>;

const METRICS_LIMIT_MS = 15_000;
/** No call of the table takes longer; one that hangs shall fail its own test only. */
const CALL_LIMIT_MS = 20_000;

export interface ClientOptions {
  readonly node: string;
  readonly client: string;
  /** Partner file; without it the program runs without the exporter. */
  readonly partners?: string;
  readonly proxy?: string;
  /** Name in test/fixtures/apps. */
  readonly program?: 'http-client.js' | 'destinations.js';
}

export class ClientApp {
  private constructor(
    private readonly stop_: () => Promise<void>,
    private readonly send: (line: string) => Promise<string>,
    private readonly metricsUrl: () => string,
  ) {}

  static async start({ node, client, partners, proxy, program = 'http-client.js' }: ClientOptions): Promise<ClientApp> {
    const preload = partners === undefined ? [] : ['-r', 'channel-exporter/register'];
    const script = [`${FIXTURES}/apps/${program}`, client, ...(proxy === undefined ? [] : [proxy])];
    const { child, stderr, stop } = startProgram({
      command: node,
      args: [...preload, ...script],
      env: { CHANNEL_EXPORTER_PARTNERS: partners, NODE_NO_WARNINGS: '1' },
      hasInput: true,
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const nextLine = async () => {
      const late = setTimeout(() => child.kill('SIGKILL'), CALL_LIMIT_MS);
      const { value, done } = await lines.next();
      clearTimeout(late);
      if (done) throw new Error(`the program ended: ${stderr()}`);
      return value as string;
    };
    await nextLine();
    const send = (line: string) => {
      child.stdin?.write(`${line}\n`);
      return nextLine();
    };
    return new ClientApp(stop, send, () => /(http:\/\/\S+\/metrics);/.exec(stderr())?.[1] ?? '');
  }

  /** Makes calls side by side. @returns what each brought: status, headers and bytes, or its error */
  async call(...orders: Order[]): Promise<unknown[]> {
    return JSON.parse(await this.send(JSON.stringify(orders)));
  }

  /** Lets go of every response that was not read. */
  async drop(): Promise<void> {
    await this.send('"drop"');
  }

  async metrics(): Promise<Metrics> {
    // the start line comes by another pipe than the program's own lines
    await until(() => this.metricsUrl() !== '', 'no start line');
    return parseMetrics(await (await fetch(this.metricsUrl(), UNCOMPRESSED)).text());
  }

  /** Scrapes until a check passes, and no longer than a while. */
  async metricsWhen(isThere: (metrics: Metrics) => boolean): Promise<Metrics> {
    const until = Date.now() + METRICS_LIMIT_MS;
    for (;;) {
      const metrics = await this.metrics();
      if (isThere(metrics) || Date.now() > until) return metrics;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  stop(): Promise<void> {
    return this.stop_();
  }
}

/** Series as `partner action status code` or `partner action error`, with their counts. */
export function short(series: readonly { labels: Labels; count: number }[]): string[] {
  return series
    .map(({ labels: { partner, action_code, http_status, code, error }, count }) => {
      const what = error === undefined ? `${http_status} ${code}` : error;
      return `${partner}/${action_code} ${what}${count === 1 ? '' : ` ×${count}`}`;
    })
    .sort();
}
