/** A real Prometheus on a free port of 127.0.0.1, with a data folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Labels } from './metrics';
import { freePort } from './waiting';

const READY_LIMIT_MS = 30_000;
const ASK_EVERY_MS = 100;

export interface QueryResult {
  readonly labels: Labels;
  readonly value: number;
}

export interface SampledSeries {
  readonly labels: Labels;
  /** Milliseconds since 1970, and the value. */
  readonly samples: readonly (readonly [timeMs: number, value: number])[];
}

interface Answer<Row> {
  readonly status: string;
  readonly error?: string;
  readonly data: { readonly result: readonly Row[] };
}

export interface PrometheusSetUp {
  /** Job name to its metric_relabel_configs. */
  readonly relabelled?: Readonly<Record<string, readonly object[]>>;
  /** Job name to what else its scrape_config has, such as its tls_config. */
  readonly access?: Readonly<Record<string, object>>;
  /** Files of rules, evaluated as often as targets are scraped. */
  readonly rules?: readonly string[];
}

export class Prometheus {
  private output = '';

  private constructor(
    private readonly child: ChildProcess,
    private readonly url: string,
    private readonly folder: string,
  ) {
    child.stderr?.on('data', (text) => {
      this.output += text;
    });
  }

  /**
   * Starts it and waits until it answers.
   * @param targets job name to `host:port` of a scrape at /metrics
   * @param interval between two scrapes, as Prometheus writes it
   */
  static async start(
    program: string,
    targets: Readonly<Record<string, string>>,
    interval = '1s',
    { relabelled = {}, access = {}, rules = [] }: PrometheusSetUp = {},
  ): Promise<Prometheus> {
    const config = {
      global: { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval },
      rule_files: rules,
      scrape_configs: Object.entries(targets).map(([job_name, target]) => ({
        job_name,
        static_configs: [{ targets: [target] }],
        metric_relabel_configs: relabelled[job_name] ?? [],
        ...access[job_name],
      })),
    };
    return Prometheus.startWith(program, config);
  }

  /** The same with a whole configuration. */
  static async startWith(program: string, config: object): Promise<Prometheus> {
    const folder = mkdtempSync(join(tmpdir(), 'channel-exporter-prometheus-'));
    // JSON is YAML
    writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(config));
    const address = `127.0.0.1:${await freePort()}`;
    const child = spawn(
      program,
      [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=${address}`,
        '--log.level=warn',
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const prometheus = new Prometheus(child, `http://${address}`, folder);
    try {
      await once(child, 'spawn');
      await prometheus.when('it is ready', () =>
        fetch(`http://${address}/-/ready`).then(
          (response) => response.ok,
          () => false,
        ),
      );
    } catch (error) {
      await prometheus.stop();
      throw error;
    }
    return prometheus;
  }

  /**
   * Answers an instant query.
   * @param at seconds since 1970; default: now
   */
  async query(expression: string, at?: number): Promise<QueryResult[]> {
    const rows = await this.ask<{ metric: Labels; value: [number, string] }>(expression, at);
    return rows.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
  }

  /** Every sample as it was scraped, of the last hour. */
  async samples(selector: string): Promise<SampledSeries[]> {
    const rows = await this.ask<{ metric: Labels; values: [number, string][] }>(`${selector}[1h]`);
    return rows.map(({ metric, values }) => ({
      labels: metric,
      samples: values.map(([seconds, value]) => [Math.round(seconds * 1000), Number(value)] as const),
    }));
  }

  /** The same once the series have so many. */
  async samplesWhen(selector: string, count: number): Promise<SampledSeries[]> {
    let found: SampledSeries[] = [];
    await this.when(`${selector} has ${count} samples`, async () => {
      found = await this.samples(selector);
      return found.length > 0 && found.every(({ samples }) => samples.length >= count);
    });
    return found;
  }

  /** Names of all labels, or the values of one. */
  async labels(label?: string): Promise<string[]> {
    const path = label === undefined ? 'labels' : `label/${label}/values`;
    const response = await fetch(`${this.url}/api/v1/${path}`);
    return ((await response.json()) as { data: string[] }).data;
  }

  /** Every rule that could not be evaluated, with the reason. */
  async faultyRules(): Promise<string[]> {
    const response = await fetch(`${this.url}/api/v1/rules`);
    const { data } = (await response.json()) as {
      data: { groups: { rules: { name: string; health: string; lastError?: string }[] }[] };
    };
    return data.groups
      .flatMap(({ rules }) => rules)
      .filter(({ health }) => health === 'err')
      .map(({ name, lastError }) => `${name}: ${lastError}`);
  }

  private async ask<Row>(expression: string, at?: number): Promise<readonly Row[]> {
    const parameters = new URLSearchParams({ query: expression, ...(at === undefined ? {} : { time: String(at) }) });
    const response = await fetch(`${this.url}/api/v1/query?${parameters}`);
    const answer = (await response.json()) as Answer<Row>;
    if (answer.status !== 'success') throw new Error(`${expression}: ${answer.error}`);
    return answer.data.result;
  }

  /** Types of the families of a job, by their names. */
  async metadata(job: string): Promise<Map<string, string>> {
    const parameters = new URLSearchParams({ match_target: `{job="${job}"}` });
    const response = await fetch(`${this.url}/api/v1/targets/metadata?${parameters}`);
    const { data } = (await response.json()) as { data: { metric: string; type: string }[] };
    return new Map(data.map(({ metric, type }) => [metric, type]));
  }

  /** Waits until a check passes. */
  async when(what: string, isSo: () => Promise<boolean>, limitMs = READY_LIMIT_MS): Promise<void> {
    const until = Date.now() + limitMs;
    while (!(await isSo())) {
      if (this.child.exitCode !== null) throw new Error(`Prometheus has ended:\n${this.output}`);
      if (Date.now() > until) throw new Error(`Prometheus: not within ${limitMs} ms: ${what}\n${this.output}`);
      await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
    }
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.pid !== undefined && this.child.kill('SIGKILL')) {
      await once(this.child, 'close');
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
