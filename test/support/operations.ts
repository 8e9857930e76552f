/** What ops/ is tested with: its rules, its panels, and services that Prometheus scrapes. */
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { DebianProgram } from './debian';
import { FIXTURES, ROOT } from './paths';
import { ask, openWorld, PRELOAD, PROGRAMS, type Service, type World } from './service';
import { freePort } from './waiting';

export const PROMETHEUS: DebianProgram = { packages: ['prometheus'], program: 'usr/bin/prometheus' };
export const RULES = join(ROOT, 'ops/rules');
export const RULE_FILES = ['recording.yaml', 'alerts.yaml'].map((file) => join(RULES, file));
const SERVICE = join(FIXTURES, 'ops/service.js');
const DASHBOARDS = join(ROOT, 'ops/dashboards');
/** Pause between two rounds of a service's callers. */
const ROUND_MS = 250;

export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export function readRules(): Rule[] {
  return RULE_FILES.flatMap((file) =>
    (parse(readFileSync(file, 'utf8')) as { groups: { rules: Rule[] }[] }).groups.flatMap(({ rules }) => rules),
  );
}

export interface Panel {
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly gridPos: Readonly<Record<'h' | 'w' | 'x' | 'y', number>>;
}

export interface Dashboard {
  readonly file: string;
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly definition?: string }[];
  };
}

export function readDashboards(): Dashboard[] {
  return readdirSync(DASHBOARDS).map((file) => ({
    file,
    ...JSON.parse(readFileSync(join(DASHBOARDS, file), 'utf8')),
  }));
}

/**
 * Writes a copy of the rules in which a minute is a second: every window, offset, interval and `for`, and nothing
 * else. So what takes
 * an operator an hour takes a test a minute.
 */
export function scaledRules(folder: string): string[] {
  const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };
  return RULE_FILES.map((file, index) => {
    const text = readFileSync(file, 'utf8').replace(
      /(\[|\boffset |\bfor: |\binterval: )(\d+)([smhd])\b/g,
      (_all, before, count, unit) => `${before}${Math.round((Number(count) * (units[unit] as number) * 1_000) / 60)}ms`,
    );
    const copy = join(folder, `scaled-${index}.yaml`);
    writeFileSync(copy, text);
    return copy;
  });
}

/** A partner whose answers a test decides. */
export interface Partner {
  readonly port: number;
  code: string;
  delayMs: number;
  close(): Promise<void>;
}

async function openPartner(): Promise<Partner> {
  const server = createServer((_request, response) => {
    const answer = () => response.end(JSON.stringify({ code: partner.code }));
    if (partner.delayMs > 0) setTimeout(answer, partner.delayMs);
    else answer();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const partner: Partner = {
    port: (server.address() as AddressInfo).port,
    code: '0',
    delayMs: 0,
    close: () => closeServer(server),
  };
  return partner;
}

async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

/** A service with callers of its own, which send all that is in `paths` in each round. */
export interface Observed {
  readonly syscode: string;
  readonly world: World;
  readonly service: Service;
  readonly partner: Partner;
  readonly port: number;
  paths: readonly string[];
  end(): Promise<void>;
}

/** @param workers of a cluster; 0: one process */
export async function startObserved(syscode: string, workers = 0): Promise<Observed> {
  const world = await openWorld();
  const partner = await openPartner();
  const file = join(world.folder, 'partners.json');
  const host = `127.0.0.1:${partner.port}`;
  const dead = `127.0.0.1:${await freePort()}`;
  const hosts = {
    [host]: { partner: '12', name: 'Pay', success: ['0'], paths: { '/v1/pay': '1201' } },
    [dead]: { partner: '13', name: 'Dead' },
  };
  writeFileSync(file, JSON.stringify({ hosts }));
  const service = world.start({
    args: [...PRELOAD, workers > 0 ? `${PROGRAMS}/cluster.js` : SERVICE],
    env: {
      SYSCODE: syscode,
      SERVICE,
      WORKERS: String(workers),
      RESPAWN: '1',
      PARTNER_URL: `http://${host}`,
      DEAD_URL: `http://${dead}`,
      CHANNEL_EXPORTER_PARTNERS: file,
      CHANNEL_EXPORTER_PARTNERS_PRESET: 'off',
      CHANNEL_EXPORTER_SUCCESS_CODES: '["0"]',
    },
  });
  const ready = await service.ready(Math.max(workers, 1));
  const { port } = ready[0] as { port: number };
  const observed: Observed = {
    ...{ syscode, world, service, partner, port },
    paths: ['/orders/7', '/call', '/consume'],
    async end() {
      clearInterval(rounds);
      await world.end();
      await partner.close();
    },
  };
  const rounds = setInterval(() => {
    for (const path of observed.paths) ask(port, path).catch(() => undefined);
  }, ROUND_MS);
  return observed;
}

/** @returns the name of the job and the address of a service, for Prometheus */
export const targetOf = ({ syscode, world }: Observed): [string, string] => [syscode, `127.0.0.1:${world.port}`];

/** The families of a Python service, as its client writes them: labels by name, floats, creation times. */
export interface PythonService {
  readonly address: string;
  close(): Promise<void>;
}

/** Serves a scrape in the shape of the Python package, beside the recorded one of its client, that grows by the second. */
export async function servePython(syscode: string): Promise<PythonService> {
  const client = readFileSync(join(FIXTURES, 'runtime-metrics/python-client.txt'), 'utf8');
  const families = readFileSync(join(FIXTURES, 'ops/python-families.txt'), 'utf8').replaceAll('B000000001', syscode);
  const began = Date.now();
  const server = createServer((_request, response) => {
    const seconds = 1 + Math.floor((Date.now() - began) / 1_000);
    const grown = families.replace(
      /^(\w+_(?:bucket|count|sum)\{.*\}) (\S+)$/gm,
      (_line, series, value) => `${series} ${(Number(value) * seconds).toFixed(1)}`,
    );
    response.setHeader('Content-Type', 'text/plain; version=0.0.4; charset=utf-8').end(client + grown);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => closeServer(server),
  };
}

/** A folder of its own, for files that a test writes. */
export function ownFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'channel-exporter-ops-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
