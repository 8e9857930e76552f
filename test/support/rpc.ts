/** A server and a client of remote methods as programs of their own, with the exporter and without, and what each recorded. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, type AppOptions, INNER, PARTNER, PARTNER_ERRORS, runApp } from './app';
import type { Metrics } from './metrics';

export interface Pair {
  readonly server: App;
  readonly client: App;
  /** What the client saw of each call, by its name. */
  readonly seen: ReadonlyMap<string, unknown>;
}

export interface PairScripts {
  readonly server: string;
  readonly serverArgs?: readonly string[];
  readonly client: string;
  /** @param port of the server */
  readonly clientArgs: (port: number) => readonly string[];
  readonly isMeasured: boolean;
}

/** Paths of a partner, by which a test tells its calls apart. */
export type PartnerPaths = Readonly<Record<string, string>>;

/** Folders and programs of a test file; to be ended by it. */
export class RpcPrograms {
  private readonly ends: (() => unknown)[] = [];

  /** Runs a client to the end of its calls. */
  async pair(scripts: PairScripts, paths: PartnerPaths = {}): Promise<Pair> {
    const { isMeasured, serverArgs = [] } = scripts;
    const server = await this.app(scripts.server, isMeasured, { args: serverArgs });
    const client = await this.client(scripts.client, scripts.clientArgs(server.port), server.port, paths, isMeasured);
    return { server, client, seen: seenBy(client) };
  }

  /** @param port of the server, which is a partner of the client */
  client(script: string, args: readonly string[], port: number, paths: PartnerPaths, isMeasured = true) {
    const folder = mkdtempSync(join(tmpdir(), 'channel-exporter-'));
    this.ends.push(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'partners.json');
    writeFileSync(file, JSON.stringify({ hosts: { [`127.0.0.1:${port}`]: { partner: 'p', paths } } }));
    return this.app(script, isMeasured, { args, env: { CHANNEL_EXPORTER_PARTNERS: file } });
  }

  private async app(script: string, isMeasured: boolean, options: AppOptions) {
    const app = await runApp(script, isMeasured ? options : { ...options, nodeArgs: [] });
    this.ends.unshift(() => app.stop());
    return app;
  }

  async end(): Promise<void> {
    for (const end of this.ends) await end();
  }
}

/** What a client said that it saw of each call, by its name. */
export function seenBy(client: App): ReadonlyMap<string, unknown> {
  const lines = client.stdout().split('\n');
  return new Map(lines.filter((line) => line.startsWith('[')).map((line) => JSON.parse(line) as [string, unknown]));
}

/** `status|code` of what was recorded of a path, with how often. */
export function answered(metrics: Metrics, path: string): string[] {
  const series = metrics.counts(INNER).filter(({ labels }) => labels.path === path);
  return series.map(({ labels: l, count }) => `${l.http_status}|${l.code}${times(count)}`).sort();
}

/** `status|code` of what was recorded of an action, with how often, and the words of errors. */
export function called(metrics: Metrics, action: string): string[] {
  const isOfAction = ({ labels }: { labels: Metrics['samples'][number]['labels'] }) => labels.action_code === action;
  const calls = metrics.counts(PARTNER).filter(isOfAction);
  const errors = metrics.counts(PARTNER_ERRORS).filter(isOfAction);
  return [
    ...calls.map(({ labels: l, count }) => `${l.http_status}|${l.code}${times(count)}`).sort(),
    ...errors.map(({ labels: l, count }) => `${l.error}${times(count)}`).sort(),
  ];
}

function times(count: number): string {
  return count === 1 ? '' : ` ×${count}`;
}

/** Waits until a family holds so many observations, and asserts that it holds no more. */
export async function counted(app: App, family: string, count: number): Promise<Metrics> {
  const total = (metrics: Metrics) => metrics.counts(family).reduce((sum, each) => sum + each.count, 0);
  const metrics = await app.metricsWhen((each) => total(each) >= count);
  assert.equal(total(metrics), count, 'each call is recorded once');
  return metrics;
}
