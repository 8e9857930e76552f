/**
 * A client that has every announced byte may close at once, before the application has seen the end of its file: the
 * response is complete. One that closes before is 499.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import http2 from 'node:http2';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { type App, INNER, runApp } from '../../support/app';
import { reportNotRun } from '../../support/debian';
import { installedBinary } from '../../support/debian-install';
import { growth, type Metrics } from '../../support/metrics';
import { startNginx } from '../../support/nginx';
import { linesInTitle, NODE_LINES, nodeOfLine } from '../../support/node-versions';
import { FIXTURES } from '../../support/paths';
import { open } from '../../support/raw-http';

const run = promisify(execFile);
const TLS = ['key.pem', 'certificate.pem'].map((name) => join(FIXTURES, 'tls', name));
const SMALL = 1000;
/** More than the buffers of a socket hold. */
const LARGE = 8 * 1024 * 1024;
const DOWNLOADS = 40;

/** How a client closes. */
const CLOSES: Readonly<Record<string, (socket: Socket) => void>> = {
  closes: (socket) => socket.destroy(),
  // and reads on, so that it gets all that is left
  'ends its half': (socket) => socket.end(),
  // a socket of TLS cannot
  resets: (socket) => socket.resetAndDestroy(),
};

interface Download {
  readonly path: string;
  /** Bytes of the body after which the client closes. */
  readonly bytes: number;
  readonly status: string;
  readonly method?: string;
}

const COMPLETE: readonly Download[] = [
  { path: `/file?bytes=${SMALL}`, bytes: SMALL, status: '200' },
  { path: `/file?bytes=${LARGE}`, bytes: LARGE, status: '200' },
  { path: `/late?bytes=${SMALL}`, bytes: SMALL, status: '200' },
  { path: `/late?bytes=${LARGE}`, bytes: LARGE, status: '200' },
  { path: `/text?bytes=${SMALL}`, bytes: 2 * SMALL, status: '200' },
  { path: `/open?bytes=${SMALL}`, bytes: SMALL, status: '200' },
  { path: `/open?bytes=${LARGE}`, bytes: LARGE, status: '200' },
  { path: '/empty', bytes: 0, status: '200' },
  { path: '/not-modified', bytes: 0, status: '304' },
];
const BROKEN: readonly Download[] = [
  { path: `/file?bytes=${LARGE}`, bytes: SMALL, status: '499' },
  { path: `/late?bytes=${LARGE}`, bytes: SMALL, status: '499' },
  { path: `/open?bytes=${LARGE}`, bytes: SMALL, status: '499' },
  { path: `/chunked?bytes=${SMALL}`, bytes: SMALL, status: '499' },
  { path: `/short?bytes=${SMALL}`, bytes: SMALL, status: '499' },
];

/** Statuses by path of what has been recorded since. */
function statuses(earlier: Metrics, later: Metrics): string[] {
  return growth(earlier, later, INNER).map(
    ({ labels, count }) => `${labels.path} ${labels.http_status}${count === 1 ? '' : ` ×${count}`}`,
  );
}

/** Runs clients and asserts what each path was recorded as, in all. */
async function recordedAs(app: App, clients: () => Promise<unknown>, expected: readonly string[], count: number) {
  const earlier = await app.metrics();
  await clients();
  const total = (metrics: Metrics) => growth(earlier, metrics, INNER).reduce((sum, series) => sum + series.count, 0);
  const later = await app.metricsWhen((metrics) => total(metrics) >= count);
  assert.deepEqual(statuses(earlier, later).sort(), [...expected].sort());
}

/** Reads until so many bytes of the body are there, and closes. */
async function download(
  port: number,
  wanted: Download,
  close: (socket: Socket) => void,
  isTls: boolean,
  version = '1.1',
) {
  const socket = await open(port, isTls);
  socket.on('error', () => undefined);
  const closed = new Promise((resolve) => socket.on('close', resolve));
  let head = '';
  let received = 0;
  const whenThere = new Promise<void>((resolve, reject) => {
    socket.on('data', (chunk: Buffer) => {
      if (received === 0) {
        head += chunk.toString('latin1');
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) return;
        received = head.length - end - '\r\n\r\n'.length;
      } else received += chunk.length;
      if (received >= wanted.bytes) resolve();
    });
    socket.on('close', () => reject(new Error(`closed after ${received} bytes of ${wanted.path}`)));
  });
  socket.write(`${wanted.method ?? 'GET'} ${wanted.path} HTTP/${version}\r\nHost: localhost\r\n\r\n`);
  await whenThere;
  close(socket);
  await closed;
}

function table(
  title: string,
  start: (wanted: Download, close: (socket: Socket) => void) => Promise<void>,
  app: () => App,
) {
  for (const [how, close] of Object.entries(CLOSES)) {
    if (how === 'resets' && title === 'TLS') continue;
    for (const wanted of how === 'ends its half' ? COMPLETE : [...COMPLETE, ...BROKEN]) {
      it(`${title}: a client that ${how} after ${wanted.bytes} bytes of ${wanted.path} is ${wanted.status}`, () =>
        recordedAs(app(), () => start(wanted, close), [`${wanted.path.replace(/\?.*/, '')} ${wanted.status}`], 1));
    }
  }
}

describe(`downloads whose client closes by itself, on ${linesInTitle}`, () => {
  for (const line of NODE_LINES) {
    const node = nodeOfLine(line);
    if (node === undefined) continue;
    describe(`Node ${line}`, () => {
      const folder = mkdtempSync(join(tmpdir(), 'channel-exporter-downloads-'));
      let app: App;
      let ports: { http: number; https: number; http2: number };
      before(async () => {
        app = await runApp('test/fixtures/apps/downloads.js', {
          node,
          args: [...TLS, folder],
          ready: /^ready (\d+) \d+ \d+$/m,
        });
        const [http = 0, https = 0, overHttp2 = 0] = (/^ready (.*)$/m.exec(app.stdout())?.[1] ?? '')
          .split(' ')
          .map(Number);
        ports = { http, https, http2: overHttp2 };
      });
      after(async () => {
        await app?.stop();
        rmSync(folder, { recursive: true, force: true });
      });
      const over = (name: 'http' | 'https', version?: string) => (wanted: Download, close: (socket: Socket) => void) =>
        download(ports[name], wanted, close, name === 'https', version);

      table('HTTP/1.1', over('http'), () => app);
      table('HTTP/1.0', over('http', '1.0'), () => app);
      table('TLS', over('https'), () => app);
      table(
        'HTTP/2',
        (wanted, close) => downloadOverHttp2(ports.http2, wanted, close),
        () => app,
      );

      it('the head of an answer to HEAD is the whole of it', () =>
        recordedAs(
          app,
          () =>
            download(
              ports.http,
              { path: '/empty', bytes: 0, status: '200', method: 'HEAD' },
              (s) => s.destroy(),
              false,
            ),
          ['/empty 200'],
          1,
        ));
      it('a response that the application destroys behind its last byte is 499', () =>
        recordedAs(
          app,
          () => fetch(`http://127.0.0.1:${ports.http}/destroyed?bytes=${SMALL}`).catch(() => undefined),
          ['/destroyed 499'],
          1,
        ));

      it('curl and wget that close by themselves are never 499', async (t) => {
        for (const [name, port, ...args] of [
          ['curl', ports.http, '-s', '-o', '/dev/null', '-H', 'Connection: close'],
          ['curl', ports.http, '-s', '-o', '/dev/null', '--http1.0'],
          ['curl', ports.http2, '-s', '-o', '/dev/null', '--http2-prior-knowledge'],
          ['wget', ports.http, '-q', '-O', '/dev/null', '--no-http-keep-alive'],
        ] as const) {
          const program = await programOr(t, name);
          if (program === undefined) continue;
          const get = async (path: string) => run(program, [...args, `http://127.0.0.1:${port}${path}`]);
          const clients = async () => {
            for (let n = 0; n < DOWNLOADS; n++) await get(`/file?bytes=${n % 2 === 0 ? SMALL : LARGE}`);
            for (let n = 0; n < DOWNLOADS / 10; n++) await get(`/late?bytes=${SMALL}`);
          };
          await recordedAs(app, clients, [`/file 200 ×${DOWNLOADS}`, `/late 200 ×${DOWNLOADS / 10}`], DOWNLOADS * 1.1);
        }
      });
      it('what nginx logs as 200 is 200', async (t) => {
        const nginx = await startNginx(ports.http).catch((error: Error) => reportNotRun(t, error.message));
        if (nginx === undefined) return;
        try {
          const get = async (path: string) => (await fetch(`http://127.0.0.1:${nginx.port}${path}`)).arrayBuffer();
          const clients = async () => {
            for (let n = 0; n < DOWNLOADS; n++) await get(`/file?bytes=${n % 2 === 0 ? SMALL : LARGE}`);
            for (let n = 0; n < DOWNLOADS / 10; n++) await get(`/late?bytes=${SMALL}`);
          };
          await recordedAs(app, clients, [`/file 200 ×${DOWNLOADS}`, `/late 200 ×${DOWNLOADS / 10}`], DOWNLOADS * 1.1);
          assert.deepEqual(new Set(nginx.statuses()), new Set([200]));
          assert.equal(nginx.statuses().length, DOWNLOADS * 1.1);
        } finally {
          await nginx.stop();
        }
      });
    });
  }
});

async function programOr(t: TestContext, name: string): Promise<string | undefined> {
  try {
    return await installedBinary(name, `/usr/bin/${name}`);
  } catch (error) {
    reportNotRun(t, (error as Error).message);
    return undefined;
  }
}

/** Reads a stream of HTTP/2 until so many bytes are there, and closes its connection, or resets the stream. */
async function downloadOverHttp2(port: number, wanted: Download, close: (socket: Socket) => void): Promise<void> {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  session.on('error', () => undefined);
  const stream = session.request({ ':path': wanted.path });
  stream.on('error', () => undefined);
  let received = 0;
  await new Promise<void>((resolve) => {
    const look = () => received >= wanted.bytes && resolve();
    stream.on('response', look).on('data', (chunk: Buffer) => {
      received += chunk.length;
      look();
    });
  });
  if (close === CLOSES.resets) stream.close(http2.constants.NGHTTP2_CANCEL);
  else session.destroy();
  await new Promise((resolve) => (stream.closed ? resolve(undefined) : stream.on('close', resolve)));
  session.destroy();
}
