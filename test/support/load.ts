/** A service under load: test/fixtures/load/service.js, its partner, and clients that stay, leave and break off. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, runApp } from './app';
import { FIXTURES } from './paths';
import { CALLER, get, type Headers, post } from './raw-http';

/** What the service says of itself; see there. */
export interface ServiceState {
  /** Requests by the first part of their path. */
  readonly arrived: Readonly<Record<string, number>>;
  readonly calls: number;
  readonly connections: number;
  readonly followed: number;
  readonly collected: number;
  readonly heapUsed: number;
  readonly handles: number;
}

export interface Load {
  readonly app: App;
  /** Requests that the partner has received. */
  partnerRequests(): number;
  state(): Promise<ServiceState>;
  /** The state when every connection but the asking one is closed. */
  quietState(): Promise<ServiceState>;
  stop(): Promise<void>;
}

/** A connection on which requests are sent without waiting for their answers. */
export interface Burst {
  readonly requests: readonly Buffer[];
  /** How the client leaves before it has every answer; by default it stays. */
  readonly leaves?: 'closes' | 'resets';
  /** When it does: on the first bytes that come, or after this time. */
  readonly at?: 'first bytes' | number;
}

const PARTNER_CODE = '12';
export const ACTION_CODES: Readonly<Record<string, string>> = { '/pay': '1201', '/reset': '1202', '/large': '1203' };
const SETTLE_LIMIT_MS = 10_000;
const LARGE = JSON.stringify({ rows: 'x'.repeat(20_000), code: '00' });
const STATUS_LINE = /HTTP\/1\.1 200 OK\r\n/g;
/** The longest beginning of a status line that a piece may end with. */
const STATUS_LINE_BYTES = 17;

export async function startLoad(nodeArgs: readonly string[] = []): Promise<Load> {
  const folder = mkdtempSync(join(tmpdir(), 'channel-exporter-'));
  let received = 0;
  const partner = createServer((request, response) => {
    received++;
    if (request.url === '/reset') request.socket.resetAndDestroy();
    else response.end(request.url === '/large' ? LARGE : '{"code":"00"}');
  });
  await once(partner.listen(0, '127.0.0.1'), 'listening');
  const host = `127.0.0.1:${(partner.address() as AddressInfo).port}`;
  const file = join(folder, 'partners.json');
  writeFileSync(file, JSON.stringify({ hosts: { [host]: { partner: PARTNER_CODE, paths: ACTION_CODES } } }));
  const app = await runApp(join(FIXTURES, 'load/service.js'), {
    nodeArgs: [...nodeArgs, '-r', 'channel-exporter/register'],
    env: { PARTNER_URL: `http://${host}`, CHANNEL_EXPORTER_PARTNERS: file, NODE_ENV: 'production' },
  });
  const state = async () => {
    const response = await fetch(`http://127.0.0.1:${app.port}/healthcheck`, { headers: { connection: 'close' } });
    assert.equal(response.status, 200);
    return (await response.json()) as ServiceState;
  };
  return {
    app,
    partnerRequests: () => received,
    state,
    async quietState() {
      const until = Date.now() + SETTLE_LIMIT_MS;
      for (;;) {
        const seen = await state();
        if (seen.connections <= 1) return seen;
        assert.ok(Date.now() < until, `${seen.connections} connections are still open`);
      }
    },
    async stop() {
      await app.stop();
      partner.close();
      partner.closeAllConnections();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const KEEP: Headers = { Connection: 'keep-alive', 'User-Agent': CALLER };
const BODY = JSON.stringify({ method_code: 'M1', text: 'x'.repeat(200) });

/** Requests of each kind; the last one of a connection is to close it. */
const KINDS = {
  fast: (i: number, headers: Headers) => get(`/fast/${i}`, headers),
  post: (_: number, headers: Headers) => post('/post', 'application/json', BODY, headers),
  packed: (i: number, headers: Headers) => get(`/packed/${i}`, { ...headers, 'Accept-Encoding': 'gzip' }),
  call: (i: number, headers: Headers) => get(`/call/${['pay', 'pay', 'reset', 'large'][i % 4]}`, headers),
  slow: (i: number, headers: Headers) => get(`/slow/${1 + (i % 20)}`, headers),
  hang: (i: number, headers: Headers) => get(`/hang/${i}`, headers),
  stream: (i: number, headers: Headers) => get(`/stream/${i}`, headers),
  cut: (i: number, headers: Headers) => get(`/cut/${i}`, headers),
} as const;
export type Kind = keyof typeof KINDS;

/** Composes a burst of one kind. */
export function burst(kind: Kind, count: number, leaving: Pick<Burst, 'leaves' | 'at'> = {}): Burst {
  const requests = Array.from({ length: count }, (_, i) =>
    KINDS[kind](i, i < count - 1 ? KEEP : { ...KEEP, Connection: 'close' }),
  );
  return { requests, ...leaving };
}

/**
 * Sends bursts, so many connections at a time.
 * @returns answers with status 200 that have come
 */
export async function send(port: number, bursts: readonly Burst[], connections: number): Promise<number> {
  let answers = 0;
  const waiting = bursts.values();
  const client = async () => {
    for (const each of waiting) {
      // not added in one expression, which would read the sum before the wait
      const own = await sendBurst(port, each);
      answers += own;
    }
  };
  await Promise.all(Array.from({ length: connections }, client));
  return answers;
}

async function sendBurst(port: number, { requests, leaves, at }: Burst): Promise<number> {
  const socket = connect({ port, host: '127.0.0.1' });
  let answers = 0;
  let rest = '';
  let timer: NodeJS.Timeout | undefined;
  socket.on('error', () => undefined);
  socket.on('data', (bytes: Buffer) => {
    const text = rest + bytes.toString('latin1');
    let end = 0;
    for (const { index } of text.matchAll(STATUS_LINE)) {
      answers++;
      end = index + STATUS_LINE_BYTES;
    }
    rest = text.slice(Math.max(end, text.length - STATUS_LINE_BYTES + 1));
    if (at === 'first bytes') leave(socket, leaves);
  });
  socket.write(Buffer.concat(requests));
  if (typeof at === 'number') timer = setTimeout(() => leave(socket, leaves), at);
  await once(socket, 'close').catch(() => undefined);
  clearTimeout(timer);
  return answers;
}

function leave(socket: Socket, how: Burst['leaves']): void {
  if (how === 'resets') socket.resetAndDestroy();
  else socket.destroy();
}
