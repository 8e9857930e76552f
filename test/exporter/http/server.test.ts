/** The server of the scrape: what it answers, and that nobody who comes to scrape keeps the process. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { type CollectionResult, DataPointType } from '@opentelemetry/sdk-metrics';
import { setLogLevel } from '../../../src/diagnostics/log';
import { createMetricsServer, type MetricsServer, type ServerSettings } from '../../../src/exporter/http/server';
import { type Body, createScrape, type Scrape } from '../../../src/exporter/scrape';
import { type App, INNER, runApp } from '../../support/app';
import { parseMetrics } from '../../support/metrics';
import { until } from '../../support/waiting';

const TEXT = '# HELP x_total Naïve.\n# TYPE x_total counter\nx_total{a="é"} 1\n';
const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
const BODY: Body = { headers: { 'Content-Type': CONTENT_TYPE }, chunks: [Buffer.from(TEXT)] };
const FINISHING = 'test/fixtures/apps/finishing.js';
const EXIT_LIMIT_MS = 8_000;
const RETRY_LIMIT_MS = 15_000;

function serveMetrics(scrape: Scrape, settings: ServerSettings): MetricsServer {
  const server = createMetricsServer(scrape, settings);
  void server.listen();
  return server;
}

/** Sends bytes on a connection of their own and gives back everything that is answered until it closes. */
async function exchange(
  port: number,
  bytes: string,
  host = '127.0.0.1',
  encoding: BufferEncoding = 'utf8',
): Promise<string> {
  const socket = connect(port, host);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.write(Buffer.from(bytes, 'latin1'));
  await once(socket, 'close');
  return Buffer.concat(chunks).toString(encoding);
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}

async function within<T>(limitMs: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took more than ${limitMs} ms`)), limitMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

describe('the server of the scrape', () => {
  let server: MetricsServer;
  let port: number;
  before(() => {
    server = serveMetrics(async () => BODY, { port: 0, host: undefined });
    port = portOf(server.url);
  });
  after(() => server.close());

  for (const target of ['/metrics', '/metrics?name[]=x_total', '/metrics?']) {
    it(`answers GET ${target} with the text, its type and its length`, async () => {
      const response = await fetch(`http://127.0.0.1:${port}${target}`);
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('content-type'), CONTENT_TYPE);
      assert.equal(response.headers.get('content-length'), String(Buffer.byteLength(TEXT)));
      assert.equal(await response.text(), TEXT);
    });
  }

  it('answers HEAD with the head of GET and no body', async () => {
    const answer = await exchange(port, 'HEAD /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
    assert.ok(answer.includes(`Content-Type: ${CONTENT_TYPE}\r\n`), answer);
    assert.ok(answer.includes(`Content-Length: ${Buffer.byteLength(TEXT)}\r\n`), answer);
    assert.ok(
      answer.endsWith('\r\n\r\n') && answer.indexOf('\r\n\r\n') === answer.length - 4,
      'nothing after the head',
    );
  });

  it('answers GET and HEAD of /-/healthy, and no other method', async () => {
    const asked = (method: string) => fetch(`http://127.0.0.1:${port}/-/healthy`, { method });
    const response = await asked('GET');
    assert.deepEqual([response.status, await response.text()], [200, 'Healthy\n']);
    assert.equal((await asked('HEAD')).status, 200);
    assert.equal((await asked('POST')).status, 405);
  });

  for (const path of ['/', '/metrics/', '/Metrics', '/metrics2', '//metrics', '/%6Detrics', '/healthcheck']) {
    for (const method of ['GET', 'POST']) {
      it(`answers ${method} ${path} with 404, naming the right path`, async () => {
        const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
        assert.equal(response.status, 404);
        assert.match(await response.text(), /\/metrics/);
      });
    }
  }

  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'PROPFIND']) {
    it(`answers ${method} /metrics with 405 and what is allowed`, async () => {
      const response = await fetch(`http://127.0.0.1:${port}/metrics`, { method });
      assert.equal(response.status, 405);
      assert.equal(response.headers.get('allow'), 'GET, HEAD');
      assert.ok(!(await response.text()).includes('x_total'));
    });
  }

  for (const [what, bytes] of [
    ['a line of words', 'what is this\r\n\r\n'],
    ['a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'],
    ['zeros', '\0'.repeat(64)],
    ['a request without Host', 'GET /metrics HTTP/1.1\r\n\r\n'],
    ['a header without a name', 'GET /metrics HTTP/1.1\r\n: x\r\n\r\n'],
    ['an HTTP version that does not exist', 'GET /metrics HTTP/9.9\r\nHost: x\r\n\r\n'],
    ['a head that is too large', `GET /metrics HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(32 * 1024)}\r\n\r\n`],
    ['a path that is too long', `GET /${'x'.repeat(32 * 1024)} HTTP/1.1\r\nHost: x\r\n\r\n`],
  ] as const) {
    it(`answers ${what} with 400, and goes on`, async () => {
      assert.match(await exchange(port, bytes), /^HTTP\/1\.1 400 Bad Request\r\n/);
      assert.equal((await fetch(`http://127.0.0.1:${port}/metrics`)).status, 200);
    });
  }

  const loopback = Object.values(networkInterfaces()).flatMap((addresses) =>
    (addresses ?? []).filter(({ internal }) => internal).map(({ address }) => address),
  );
  for (const address of loopback) {
    it(`is reached on ${address} when no host is set`, async () => {
      const answer = await exchange(port, 'GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', address);
      assert.ok(answer.endsWith(TEXT), answer);
    });

    it(`listens on ${address} alone when that is the host, and names it in its address`, async () => {
      const one = serveMetrics(async () => BODY, { port: 0, host: address });
      await until(
        () => portOf(one.url) !== 0,
        () => 'it does not listen',
        EXIT_LIMIT_MS,
      );
      assert.equal(new URL(one.url).hostname, address.includes(':') ? `[${address}]` : address);
      assert.equal(await (await fetch(one.url)).text(), TEXT);
      for (const other of loopback.filter((each) => each !== address)) {
        await assert.rejects(once(connect(portOf(one.url), other), 'connect'), { code: 'ECONNREFUSED' });
      }
      await one.close();
    });
  }

  it('lets go of its port and of its connections when it is closed', async () => {
    const one = serveMetrics(async () => BODY, { port: 0, host: undefined });
    const idle = connect(portOf(one.url), '127.0.0.1');
    idle.on('error', () => undefined);
    await once(idle, 'connect');
    const closed = once(idle.resume(), 'close');
    await one.close();
    await closed;
    await assert.rejects(once(connect(portOf(one.url), '127.0.0.1'), 'connect'), { code: 'ECONNREFUSED' });
  });
});

describe('a collection', () => {
  const nothing = { resourceMetrics: { resource: {}, scopeMetrics: [] }, errors: [] } as unknown as CollectionResult;

  async function withServer(scrape: Scrape, work: (url: string) => Promise<void>) {
    const server = serveMetrics(scrape, { port: 0, host: undefined });
    await work(server.url).finally(() => server.close());
  }

  it('is shared by simultaneous scrapes, and made anew for the next', async () => {
    let collections = 0;
    let requests = 0;
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const scrape = createScrape({
      mark: () => 1,
      async collect() {
        collections++;
        await held;
        return nothing;
      },
    });
    const counted: Scrape = (form) => {
      requests++;
      return scrape(form);
    };
    await withServer(counted, async (url) => {
      const scrapes = Array.from({ length: 10 }, async () => (await fetch(url)).status);
      await until(
        () => requests === 10,
        () => `${requests} of 10 scrapes came in`,
        EXIT_LIMIT_MS,
      );
      release();
      assert.deepEqual(await Promise.all(scrapes), Array(10).fill(200));
      assert.equal(collections, 1);
      await fetch(url);
      assert.equal(collections, 2);
    });
  });

  const unknownKind = { descriptor: { name: 'x', description: 'X.' }, dataPointType: 99, dataPoints: [] };
  const good = { descriptor: { name: 'y', description: 'Y.' }, dataPointType: 2, dataPoints: [] };
  for (const [what, collect] of [
    ['rejects', () => Promise.reject(new Error('out of order'))],
    ['brings errors beside its data', async () => ({ ...nothing, errors: [new Error('one callback failed')] })],
    [
      'cannot be written after a family that can',
      async () =>
        ({
          resourceMetrics: { scopeMetrics: [{ metrics: [good, unknownKind] }] },
          errors: [],
        }) as unknown as CollectionResult,
    ],
  ] as const) {
    it(`that ${what} is answered with 500 and never in part; the next scrape is whole again`, async () => {
      setLogLevel('none');
      let isFirst = true;
      const reader = {
        async collect() {
          if (!isFirst) return nothing;
          isFirst = false;
          return collect();
        },
      };
      await withServer(createScrape({ ...reader, mark: () => 1 }), async (url) => {
        const response = await fetch(url);
        assert.equal(response.status, 500);
        assert.match(await response.text(), /^The metrics could not be collected/);
        assert.equal((await fetch(url)).status, 200);
      }).finally(() => setLogLevel('info'));
    });
  }
});

describe('a scrape in the form that was asked for', () => {
  const family = {
    descriptor: { name: 'x_total', description: 'X.' },
    dataPointType: DataPointType.SUM,
    isMonotonic: true,
    dataPoints: [{ attributes: { a: 'é' }, value: 1 }],
  };
  const collected = { resourceMetrics: { scopeMetrics: [{ metrics: [family] }] }, errors: [] };
  const scrape = createScrape({
    collect: async () => collected as unknown as CollectionResult,
    mark: () => 1,
  });
  const OPENMETRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
  const OPENMETRICS_TEXT = '# HELP x X.\n# TYPE x counter\nx_total{a="é"} 1\n# EOF\n';
  const PLAIN_TEXT = '# HELP x_total X.\n# TYPE x_total counter\nx_total{a="é"} 1\n';
  const CASES: readonly [headers: string, type: string, text: string, isCompressed: boolean][] = [
    ['', CONTENT_TYPE, PLAIN_TEXT, false],
    ['Accept-Encoding: gzip\r\n', CONTENT_TYPE, PLAIN_TEXT, true],
    ['Accept: application/openmetrics-text\r\n', OPENMETRICS_TYPE, OPENMETRICS_TEXT, false],
    ['Accept: application/openmetrics-text\r\naccept-encoding: br, GZIP\r\n', OPENMETRICS_TYPE, OPENMETRICS_TEXT, true],
  ];
  let server: MetricsServer;
  before(() => {
    server = serveMetrics(scrape, { port: 0, host: undefined });
  });
  after(() => server.close());

  /** Head without the date, and body. */
  async function ask(method: string, headers: string): Promise<[head: string[], body: Buffer]> {
    const request = `${method} /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`;
    const answer = Buffer.from(await exchange(portOf(server.url), request, '127.0.0.1', 'latin1'), 'latin1');
    const end = answer.indexOf('\r\n\r\n');
    const head = answer.subarray(0, end).toString().split('\r\n');
    return [head.filter((line) => !line.startsWith('Date: ')), answer.subarray(end + 4)];
  }

  for (const [headers, type, text, isCompressed] of CASES) {
    it(`is answered to "${headers.trim().replace('\r\n', '; ')}", and HEAD has the same head`, async () => {
      const [head, body] = await ask('GET', headers);
      assert.deepEqual(head, [
        'HTTP/1.1 200 OK',
        `Content-Type: ${type}`,
        ...(isCompressed ? ['Content-Encoding: gzip'] : []),
        'Vary: Accept, Accept-Encoding',
        `Content-Length: ${body.length}`,
        'Connection: close',
      ]);
      assert.equal((isCompressed ? gunzipSync(body) : body).toString(), text);
      assert.deepEqual(await ask('HEAD', headers), [head, Buffer.alloc(0)]);
    });
  }
});

describe('a process that has nothing left to do ends, although a scraper', () => {
  /** Makes a scrape of many megabytes: more than the kernel takes for a reader that does not read. */
  async function makeLarge(app: App): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    const one = (path: string) =>
      new Promise<void>((resolve, reject) => {
        get({ port: app.port, host: '127.0.0.1', path, agent }, (response) => response.resume().on('end', resolve)).on(
          'error',
          reject,
        );
      });
    await Promise.all(Array.from({ length: 800 }, (_, index) => one(`/${'x'.repeat(100)}${index}`)));
    agent.destroy();
    const metrics = await app.metricsWhen((each) => each.counts(INNER).length === 800);
    assert.ok(metrics.text.length > 16 * 1024 * 1024, `${metrics.text.length} bytes`);
  }

  const cases: [string, (socket: Socket, app: App) => Promise<unknown>][] = [
    ['has connected and sends nothing', async () => undefined],
    ['has sent half a request', async (socket) => socket.write('GET /metr')],
    [
      'keeps its connection after a scrape',
      async (socket) => {
        socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
        await once(socket, 'data');
      },
    ],
    [
      'does not read a large answer',
      async (socket, app) => {
        await makeLarge(app);
        socket.pause();
        socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
        await once(socket, 'readable');
      },
    ],
  ];
  for (const encoding of ['gzip', 'identity']) {
    cases.push([
      `asks for a large answer without a pause, in ${encoding}`,
      async (_socket, app) => {
        await makeLarge(app);
        const agent = new Agent({ keepAlive: true, maxSockets: 1 });
        const ask = () =>
          get(app.metricsUrl, { agent, headers: { 'Accept-Encoding': encoding } }, (response) => {
            response.on('error', () => undefined).on('end', ask);
            response.resume();
          }).on('error', () => undefined);
        for (let scraper = 0; scraper < 2; scraper++) ask();
      },
    ]);
  }
  for (const [what, work] of cases) {
    it(what, async () => {
      const boundaries = Array.from({ length: 100 }, (_, index) => index + 1).join(',');
      const env = {
        CHANNEL_EXPORTER_INNER_METRICS_BUCKETS: boundaries,
        CHANNEL_EXPORTER_LABEL_VALUES_LIMIT: 'path=1000',
      };
      const app = await runApp(FINISHING, { env });
      const socket = connect(portOf(app.metricsUrl), '127.0.0.1');
      socket.on('error', () => undefined);
      try {
        await once(socket, 'connect');
        await work(socket, app);
        await fetch(`http://127.0.0.1:${app.port}/end`, { headers: { connection: 'close' } });
        const end = await within(EXIT_LIMIT_MS, 'the end of the process', app.exited());
        assert.deepEqual(end, { code: 0, signal: null });
      } finally {
        socket.destroy();
        await app.stop();
      }
    });
  }
});

describe('a port of the scrape', () => {
  it('that is taken is said once with its holder and tried again, while the application runs', async () => {
    const holder = createServer().listen(0);
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    const app = await runApp(FINISHING, { env: { CHANNEL_EXPORTER_PORT: String(port) } });
    try {
      const url = `http://127.0.0.1:${app.port}`;
      assert.equal((await fetch(`${url}/before`)).status, 200);
      await until(() => app.stderr().includes('CHX_PORT_TAKEN'), app.stderr, EXIT_LIMIT_MS);
      const by = process.platform === 'linux' ? `by .* \\(pid ${process.pid}\\)` : 'by another program';
      assert.match(app.stderr(), new RegExp(`CHX_PORT_TAKEN: port ${port} is taken ${by}\\. It is tried again`));
      holder.close();
      await until(() => app.stderr().includes('/metrics; observes '), app.stderr, RETRY_LIMIT_MS);
      assert.equal(app.stderr().match(/CHX_PORT_TAKEN/g)?.length, 1);
      assert.equal((await fetch(`${url}/after`)).status, 200);
      const metrics = await app.metricsWhen((each) => each.counts(INNER).length === 2);
      assert.deepEqual(
        metrics.counts(INNER).map(({ labels }) => labels.path),
        ['/before', '/after'],
      );
    } finally {
      holder.close();
      await app.stop();
    }
  });

  it('that cannot be listened on at all is said with the reason, while the application runs', async () => {
    // an address for documentation, which no machine has (RFC 5737)
    const app = await runApp(FINISHING, { env: { CHANNEL_EXPORTER_HOST: '192.0.2.1' } });
    try {
      await until(() => app.stderr().includes('CHX_PORT_REFUSED'), app.stderr, EXIT_LIMIT_MS);
      assert.match(app.stderr(), /CHX_PORT_REFUSED: cannot listen on 192\.0\.2\.1, port 0: .*EADDRNOTAVAIL/);
      assert.equal((await fetch(`http://127.0.0.1:${app.port}/`)).status, 200);
    } finally {
      await app.stop();
    }
  });

  it('0 with a host is named once it is known', async () => {
    const app = await runApp(FINISHING, { env: { CHANNEL_EXPORTER_HOST: '127.0.0.1' } });
    try {
      const line = /, (http:\/\/127\.0\.0\.1:[1-9]\d*\/metrics); observes /;
      await until(() => line.test(app.stderr()), app.stderr, EXIT_LIMIT_MS);
      const response = await fetch(line.exec(app.stderr())?.[1] ?? '');
      parseMetrics(await response.text());
    } finally {
      await app.stop();
    }
  });
});
