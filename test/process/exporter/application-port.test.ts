/** The scrape on the application's own server: metricsHandler(), and CHANNEL_EXPORTER_APP_METRICS without code. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { type App, type AppOptions, INNER, runApp } from '../../support/app';
import { parseMetrics } from '../../support/metrics';

const PORT_TAKEN_LIMIT_MS = 10_000;
const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
/** Two scrapes have the same text where no process says what it uses. */
const STILL = { CHANNEL_EXPORTER_RUNTIME_METRICS: 'off' };
const SERVERS = 'test/fixtures/own-metrics/servers.js';

interface Answer {
  readonly status: number | undefined;
  readonly reason: string | undefined;
  readonly headers: IncomingMessage['headers'];
  /** Bytes as they came. */
  readonly length: number;
  readonly body: string;
}

async function withApp(script: string, options: AppOptions, check: (app: App) => Promise<void>): Promise<void> {
  const app = await runApp(script, options);
  try {
    await check(app);
  } finally {
    await app.stop();
  }
}

/** Sends one request, on a connection that is kept where an agent is given. */
async function ask(app: App, path: string, method = 'GET', agent?: Agent): Promise<Answer> {
  const headers = { 'Accept-Encoding': 'gzip', 'User-Agent': 'scraper' };
  const sent = request({ host: '127.0.0.1', port: app.port, path, method, headers, ...(agent ? { agent } : {}) });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const isCompressed = bytes.length > 0 && response.headers['content-encoding'] === 'gzip';
  const body = (isCompressed ? gunzipSync(bytes) : bytes).toString();
  const { statusCode: status, statusMessage: reason } = response;
  return { status, reason, headers: response.headers, length: bytes.length, body };
}

/** The headers without those that Node adds, and the one that Express puts on before any handler. */
function ownHeaders({ headers }: Answer): Record<string, unknown> {
  const { date, connection, 'keep-alive': keepAlive, 'x-powered-by': poweredBy, ...own } = headers;
  return own;
}

function assertScrape(answer: Answer, isHead = false): void {
  assert.equal(answer.status, 200, answer.body);
  assert.equal(answer.reason, 'OK');
  const { 'content-length': length, ...others } = ownHeaders(answer);
  assert.deepEqual(others, {
    'content-type': CONTENT_TYPE,
    'content-encoding': 'gzip',
    vary: 'Accept, Accept-Encoding',
  });
  if (isHead) assert.equal(answer.body, '');
  else assert.equal(Number(length), answer.length);
  if (!isHead) assert.ok(parseMetrics(answer.body).types.has(INNER));
}

const KINDS: readonly [kind: string, said: string[]][] = [
  ['status and end', []],
  ['end without a body', []],
  ['writeHead with headers', []],
  ['an end much later', []],
  ['flushHeaders', []],
  ['a stream', ['pipeline ended']],
  ['an end that is waited for', ['end called back', 'finished']],
  ['Express 5', []],
  ['Express 4', []],
  ['Express with compression', []],
  ['Koa 3', []],
  ['Koa 2', []],
  ['Fastify 5', []],
  ['Fastify 4', []],
];

/** It is said once the other processes of the service have been looked for, about a second after the attempt. */
async function saysThatThePortIsTaken(app: App): Promise<void> {
  const until = Date.now() + PORT_TAKEN_LIMIT_MS;
  while (!/CHX_PORT_TAKEN/.test(app.stderr())) {
    assert.ok(Date.now() < until, app.stderr());
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('CHANNEL_EXPORTER_APP_METRICS=1 answers the scrape in place of a 404', () => {
  for (const [kind, said] of KINDS) {
    it(`by ${kind}`, async () => {
      const env = { CHANNEL_EXPORTER_APP_METRICS: '1' };
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      await withApp(SERVERS, { args: [kind], env }, async (app) => {
        const bare = await ask(app, '/missing', 'GET', agent);
        assert.equal(bare.status, 404);
        const scrape = await ask(app, '/metrics', 'GET', agent);
        assertScrape(scrape);
        assert.equal(scrape.headers['x-powered-by'], undefined, 'nothing of the 404 is left');
        assertScrape(await ask(app, '/metrics?name[]=x', 'GET', agent));
        assertScrape(await ask(app, '/metrics', 'HEAD', agent), true);
        // nobody else's request is touched, and the connection goes on
        for (const path of ['/metricsx', '/metrics/', '/METRICS']) {
          assert.equal((await ask(app, path, 'GET', agent)).status, 404, path);
        }
        assert.equal((await ask(app, '/metrics', 'POST', agent)).status, 404);
        assert.equal((await ask(app, '/', 'GET', agent)).status, 200);
        const metrics = await app.metricsWhen((seen) => seen.counts(INNER).length > 0);
        assert.deepEqual(
          metrics.counts(INNER).map(({ labels, count }) => [labels.path, count]),
          [['/', 1]],
        );
        const lines = app.stdout().split('\n').slice(1, -1);
        assert.deepEqual([...new Set(lines)].sort(), said);
        assert.doesNotMatch(app.stderr(), /CHX_|Error/);
      });
      agent.destroy();
    });
  }

  it('at another path, whose scrapes are no requests of the application', async () => {
    const env = { CHANNEL_EXPORTER_APP_METRICS: '/internal/prom' };
    await withApp(SERVERS, { args: ['Express 5'], env }, async (app) => {
      assertScrape(await ask(app, '/internal/prom'));
      assert.equal((await ask(app, '/metrics')).status, 404);
      await ask(app, '/');
      const metrics = await app.metricsWhen((seen) => seen.counts(INNER).length > 0);
      assert.deepEqual(
        metrics.counts(INNER).map(({ labels }) => labels.path),
        ['/'],
      );
    });
  });

  it('not by default', async () => {
    await withApp(SERVERS, { args: ['Express 5'] }, async (app) => {
      assert.equal((await ask(app, '/metrics')).status, 404);
    });
  });

  it('and not where the application answers the path itself, or refuses it', async () => {
    const env = { CHANNEL_EXPORTER_APP_METRICS: '1' };
    await withApp(SERVERS, { args: ['own'], env }, async (app) => {
      const answer = await ask(app, '/metrics');
      assert.deepEqual([answer.status, answer.body, answer.headers['content-type']], [200, 'own', 'text/x']);
    });
    await withApp(SERVERS, { args: ['refused'], env }, async (app) => {
      const answer = await ask(app, '/metrics');
      assert.deepEqual([answer.status, answer.body], [401, 'who?']);
    });
  });

  it('also where the port of the scrape is taken', async () => {
    const holder = createServer().listen(0, '0.0.0.0');
    await once(holder, 'listening');
    const port = String((holder.address() as AddressInfo).port);
    const env = {
      CHANNEL_EXPORTER_APP_METRICS: '1',
      CHANNEL_EXPORTER_PORT: port,
      CHANNEL_EXPORTER_HOST: '0.0.0.0',
    };
    try {
      await withApp(SERVERS, { args: ['Koa 3'], env }, async (app) => {
        assertScrape(await ask(app, '/metrics'));
        await saysThatThePortIsTaken(app);
      });
      await withApp('examples/metrics-handler/http.js', { env }, async (app) => {
        assertScrape(await ask(app, '/internal/metrics'));
        await saysThatThePortIsTaken(app);
      });
    } finally {
      holder.close();
    }
  });

  it('with what the application measures itself, as on our own port', async () => {
    const env = {
      ...STILL,
      CHANNEL_EXPORTER_APP_METRICS: '/scrape',
      CHANNEL_EXPORTER_GLOBAL: '1',
      CHANNEL_EXPORTER_PROM_CLIENT: '1',
    };
    const args = ['clashes'];
    await withApp('test/fixtures/own-metrics/scenarios.js', { args, env }, async (app) => {
      const answer = await ask(app, '/scrape');
      assertScrape(answer);
      assert.match(
        answer.body,
        /^orders_total 1\n[\s\S]*^library_calls_total 1\n[\s\S]*^visits_total 5\n[\s\S]*^other_total 6\n/m,
      );
      assert.equal(answer.body, (await app.metrics()).text);
    });
  });
});

describe('examples/metrics-handler', () => {
  for (const name of ['http', 'express', 'koa', 'fastify']) {
    it(`${name}.js answers as our own port does`, async () => {
      await withApp(`examples/metrics-handler/${name}.js`, { env: STILL }, async (app) => {
        assert.equal(JSON.parse((await ask(app, '/')).body).code, '0');
        const path = '/internal/metrics';
        const answer = await ask(app, path);
        assertScrape(answer);
        assert.equal(answer.body, (await app.metrics()).text);
        assertScrape(await ask(app, path, 'HEAD'), true);
        const refused = await ask(app, path, 'POST');
        assert.equal(refused.status, 405);
        assert.equal(refused.headers.allow, 'GET, HEAD');
        assert.equal(refused.body, `Only GET and HEAD are answered at ${path}.\n`);
        assert.deepEqual(
          (await app.metrics()).counts(INNER).map(({ labels }) => labels.path),
          ['/'],
        );
      });
    });
  }
});
