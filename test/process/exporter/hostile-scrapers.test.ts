/** What clients of the scrape's port can do to the application, compared with what they can do to a bare server in it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { type App, runApp } from '../../support/app';
import { effort } from '../../support/effort';
import { freePort, until } from '../../support/waiting';

const BESIDE = 'test/fixtures/exporter/beside.js';
const CONNECTIONS = 60;
const REQUESTS = effort({ short: 3_000, full: 20_000 });
/** What Prometheus waits for a scrape by default. */
const SCRAPE_LIMIT_MS = 10_000;
const HEAD = 'HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n';
const GET = 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n';

interface State {
  readonly longestMs: number;
  readonly cpuMs: number;
  readonly bare: number;
}

async function stateOf(app: App): Promise<State> {
  const response = await fetch(`http://127.0.0.1:${app.port}/pauses`);
  return (await response.json()) as State;
}

function portOf({ metricsUrl }: App): number {
  return Number(new URL(metricsUrl).port);
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Sends all requests at once on each connection. @returns what it took of the application */
async function pipeline(app: App, port: number): Promise<State> {
  const before = await stateOf(app);
  const bytes = Buffer.from(HEAD.repeat(REQUESTS) + HEAD.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
  const attack = async () => {
    const socket = await open(port);
    // closed with a reset, where the server has not read everything
    const closed = new Promise((resolve) => socket.resume().once('close', resolve));
    socket.write(bytes);
    await closed;
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, attack));
  const after = await stateOf(app);
  return { ...after, cpuMs: after.cpuMs - before.cpuMs };
}

describe('clients of the port of the scrape', () => {
  it('take much less from the application by pipelined requests than from a bare server', async () => {
    const app = await runApp(BESIDE);
    try {
      const { bare } = await stateOf(app);
      const ofBare = await pipeline(app, bare);
      const ofScrape = await pipeline(app, portOf(app));
      const compared = `scrape ${JSON.stringify(ofScrape)}, bare ${JSON.stringify(ofBare)}`;
      assert.ok(ofScrape.cpuMs < ofBare.cpuMs / 2, compared);
      assert.ok(ofScrape.longestMs < ofBare.longestMs, compared);
    } finally {
      await app.stop();
    }
  });

  const hogs: readonly [what: string, hog: (socket: Socket) => void][] = [
    ['have connected and send nothing', () => undefined],
    ['ask again without a pause', (socket) => socket.on('data', () => socket.write(HEAD)).write(HEAD)],
    ['do not read', (socket) => socket.pause().write(GET)],
    ['pipeline', (socket) => socket.resume().write(HEAD.repeat(REQUESTS))],
  ];
  for (const [what, hog] of hogs) {
    it(`do not keep a scraper from its scrape, that ${what} on more connections than there are`, async () => {
      const app = await runApp(BESIDE);
      const sockets: Socket[] = [];
      try {
        for (let i = 0; i < 2 * CONNECTIONS; i++) {
          const socket = await open(portOf(app));
          sockets.push(socket);
          hog(socket);
        }
        // turned away for as long as others come without a pause: a place is taken away for a newcomer seldom
        const scraped = () => app.metrics().catch(() => undefined);
        const isScraped = async () => (await scraped())?.types.has('channel_exporter_processes') === true;
        await until(isScraped, 'the scrape is answered', SCRAPE_LIMIT_MS);
      } finally {
        for (const socket of sockets) socket.destroy();
        await app.stop();
      }
    });
  }
});

describe('an agent that replaces emit and listen of all servers', () => {
  it('traces no scrape, and cannot keep the scrape from its port', async () => {
    const port = await freePort();
    const app = await runApp('test/fixtures/apps/hello.js', {
      nodeArgs: ['-r', 'channel-exporter/register', '-r', './test/fixtures/exporter/agent.js'],
      env: { CHANNEL_EXPORTER_PORT: String(port) },
    });
    try {
      await until(
        () =>
          app.metrics().then(
            () => true,
            () => false,
          ),
        app.stderr,
      );
      for (let i = 0; i < 3; i++) await fetch(`http://127.0.0.1:${app.port}/own`);
      for (let i = 0; i < 3; i++) await app.metrics();
      assert.doesNotMatch(app.stderr(), /CHX_/);
      assert.deepEqual(
        [...app.stdout().matchAll(/^traced (.*)$/gm)].map(([, url]) => url),
        ['/own', '/own', '/own'],
      );
    } finally {
      await app.stop();
    }
  });
});
