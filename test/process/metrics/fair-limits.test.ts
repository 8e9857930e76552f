/** A running service keeps series for its own routes and codes, whatever its callers have made up before. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type App, INNER, runApp } from '../../support/app';
import { effort } from '../../support/effort';
import { flood } from '../../support/flood';
import type { Metrics } from '../../support/metrics';
import { FIXTURES } from '../../support/paths';
import { Random } from '../../support/random';

const APP = join(FIXTURES, 'hostile/routes.js');
const HOSTILE = effort({ short: 40_000, full: 200_000 });
const CONNECTIONS = 4;
const ROUTES = 60;
const CODES = ['0', '1001', '1002', '1003', '1004'];

function text(target: string, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries({ host: '127.0.0.1', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${target} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

/** What a caller makes up: a path that a middleware answers, or the code of a route that echoes it. */
function hostile(random: Random): string {
  const word = () => `${random.below(random.pick([100, 1_000_000_000]))}`;
  const headers = { 'user-agent': word(), 'method-code': word(), 'x-code': word() };
  switch (random.below(4)) {
    case 0:
      return text(`/echo/${word()}`, { ...headers, 'x-key': '1' });
    case 1:
      // a route of the service, whose handler is not reached
      return text(`/api/resource${random.below(ROUTES)}/${word()}?code=0`, headers);
    default:
      return text(`/${word()}`, headers);
  }
}

/** Each route with each code, once. */
const service = Array.from({ length: ROUTES }, (_, n) =>
  CODES.map((code) => text(`/api/resource${n}/7?code=${code}`, { 'user-agent': 'shop', 'x-key': '1' })),
).flat();

const total = (metrics: Metrics) => metrics.counts(INNER).reduce((sum, { count }) => sum + count, 0);

function countOf(metrics: Metrics, path: string, code: string): number {
  const own = metrics.counts(INNER).filter(({ labels }) => labels.path === path && labels.code === code);
  return own.reduce((sum, { count }) => sum + count, 0);
}

describe(`a service with ${ROUTES} routes after ${HOSTILE} requests with whatever callers make up`, () => {
  let app: App;
  before(async () => {
    app = await runApp(APP);
    const seeds = Array.from({ length: CONNECTIONS }, (_, index) => new Random(index + 1));
    await Promise.all(seeds.map((random) => flood(app.port, HOSTILE / CONNECTIONS, () => hostile(random))));
  });
  after(() => app?.stop());

  it('has series of their own for each route and code that is asked for then for the first time', async () => {
    const requests = [...service];
    await flood(app.port, service.length, () => requests.pop() as string);
    const metrics = await app.metrics();
    for (let n = 0; n < ROUTES; n++) {
      for (const code of CODES) assert.equal(countOf(metrics, `/api/resource${n}/:id`, code), 1, `${n} ${code}`);
    }
    assert.equal(total(metrics), HOSTILE + service.length);
  });

  it('names the path whose codes are data, and the setting that helps', () => {
    assert.match(
      app.stderr(),
      /CHX_LABEL_OVERFLOW: \w+: label code has had its 50 distinct values for "\/echo\/:code"; .* CHANNEL_EXPORTER_CODE_DEPTH /,
    );
  });
});

describe('a route whose answers have a field named code in their data', () => {
  const ask = async (app: App) => {
    const targets = Array.from({ length: 80 }, (_, n) => `/articles/${n}`);
    targets.push('/products/1', '/api/resource1/7?code=5');
    for (const target of targets) {
      await (await fetch(`http://127.0.0.1:${app.port}${target}`, { headers: { 'x-key': '1' } })).text();
    }
    const metrics = await app.metrics();
    return metrics.counts(INNER).map(({ labels, count }) => `${labels.path} ${labels.code} ${count}`);
  };

  it('collapses alone beyond its limit', async () => {
    const app = await runApp(APP);
    const series = await ask(app);
    await app.stop();
    assert.equal(series.length, 53);
    assert.deepEqual(series.slice(50), ['/articles/:id other 30', '/products/:id SKU-1 1', '/api/resource1/:id 5 1']);
  });

  for (const { depth, expected } of [
    { depth: '1', expected: ['/articles/:id  80', '/products/:id  1', '/api/resource1/:id 5 1'] },
    { depth: '/articles/*=1', expected: ['/articles/:id  80', '/products/:id SKU-1 1', '/api/resource1/:id 5 1'] },
    { depth: '1,/pro*=all', expected: ['/articles/:id  80', '/products/:id SKU-1 1', '/api/resource1/:id 5 1'] },
  ]) {
    it(`has no codes with CHANNEL_EXPORTER_CODE_DEPTH=${depth}`, async () => {
      const app = await runApp(APP, { env: { CHANNEL_EXPORTER_CODE_DEPTH: depth } });
      const series = await ask(app);
      await app.stop();
      assert.deepEqual(series, expected);
    });
  }
});
