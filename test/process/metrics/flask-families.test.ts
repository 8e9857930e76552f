/** Inbound requests under the names that dashboards of Flask services ask for. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { type App, INNER, runApp } from '../../support/app';
import type { Labels, Metrics } from '../../support/metrics';
import { exchange, get as getBytes, request } from '../../support/raw-http';

const SCRIPT = 'test/fixtures/apps/flask-families.js';
const LATENCY = 'flask_request_latency_seconds';
const COUNT = 'flask_request_count_total';
const SWITCH = 'CHANNEL_EXPORTER_FLASK_METRICS';
const LE = '0.005 0.01 0.025 0.05 0.075 0.1 0.25 0.5 0.75 1.0 2.5 5.0 7.5 10.0 +Inf'.split(' ');

/** Requests, and how each is counted: `endpoint`, `method`, `http_status`; undefined: not at all. */
const REQUESTS: readonly { method: string; target: string; counted: readonly [string, string, string] | undefined }[] =
  [
    { method: 'GET', target: '/users/5', counted: ['/users/:id', 'GET', '200'] },
    { method: 'GET', target: '/users/6?x=1', counted: ['/users/:id', 'GET', '200'] },
    { method: 'POST', target: '/users/6', counted: ['/users/:id', 'POST', '201'] },
    { method: 'HEAD', target: '/users/6', counted: ['/users/:id', 'HEAD', '200'] },
    { method: 'GET', target: '/broken', counted: ['/broken', 'GET', '500'] },
    { method: 'GET', target: '/middleware/a%20b', counted: ['/middleware/*', 'GET', '200'] },
    { method: 'GET', target: '/concrete/a%20b', counted: ['/concrete/a b', 'GET', '200'] },
    { method: 'GET', target: '/no/such/route', counted: undefined },
    { method: 'GET', target: '/healthcheck', counted: undefined },
    { method: 'GET', target: '/metrics', counted: undefined },
  ];

function sum(metrics: Metrics, family: string): number {
  return metrics.counts(family).reduce((total, { count }) => total + count, 0);
}

function sorted(series: readonly { labels: Labels; count: number }[]): string[] {
  return series.map((each) => JSON.stringify(each)).sort();
}

describe('with the switch on', () => {
  let app: App;
  before(async () => {
    app = await runApp(SCRIPT, { env: { [SWITCH]: 'on', NODE_ENV: 'production' } });
  });
  after(() => app?.stop());

  it('both families are on the scrape before the first request, in seconds', async () => {
    const { text } = await app.metrics();
    assert.match(text, new RegExp(`^# HELP ${LATENCY} .* in seconds\\.\\n# TYPE ${LATENCY} histogram$`, 'm'));
    assert.match(text, new RegExp(`^# HELP ${COUNT} .*\\n# TYPE ${COUNT} counter$`, 'm'));
  });

  it('every recorded request is counted once more, with endpoint, method and status', async () => {
    for (const { method, target } of REQUESTS) await exchange(app.port, [request(method, target)]);
    const counted = REQUESTS.flatMap(({ counted }) => (counted === undefined ? [] : [counted]));
    const expected = new Map<string, { labels: Labels; count: number }>();
    const latencies = new Map<string, { labels: Labels; count: number }>();
    for (const [endpoint, method, http_status] of counted) {
      const labels = { endpoint, method, http_status };
      const key = JSON.stringify(labels);
      expected.set(key, { labels, count: (expected.get(key)?.count ?? 0) + 1 });
      const latency = `${endpoint} ${method}`;
      latencies.set(latency, { labels: { endpoint, method }, count: (latencies.get(latency)?.count ?? 0) + 1 });
    }
    const metrics = await app.metricsWhen((seen) => sum(seen, COUNT) >= counted.length);
    assert.deepEqual(sorted(metrics.counts(COUNT)), sorted([...expected.values()]));
    assert.deepEqual(sorted(metrics.counts(LATENCY)), sorted([...latencies.values()]));
    assert.equal(sum(metrics, INNER), counted.length, 'the requests of the other family');
  });

  it('the boundaries are seconds, and so are the sums', async () => {
    const metrics = await app.metrics();
    const ofBroken = (name: string) =>
      metrics.samples.filter((sample) => sample.name === name && sample.labels.endpoint === '/broken');
    assert.deepEqual(
      ofBroken(`${LATENCY}_bucket`).map(({ labels }) => labels.le),
      LE,
    );
    const inner = metrics.samples.find(
      (sample) => sample.name === `${INNER}_sum` && sample.labels.path === '/broken',
    )?.value;
    assert.ok(inner !== undefined && inner > 0);
    assert.equal(ofBroken(`${LATENCY}_sum`)[0]?.value, inner / 1000);
  });

  it('a client that left is counted with status 499', async () => {
    const earlier = sum(await app.metrics(), COUNT);
    const [response] = await once(get(`http://127.0.0.1:${app.port}/streams`), 'response');
    response.destroy();
    const metrics = await app.metricsWhen((seen) => sum(seen, COUNT) > earlier);
    const series = metrics.counts(COUNT).find(({ labels }) => labels.endpoint === '/streams');
    assert.deepEqual(series, { labels: { endpoint: '/streams', method: 'GET', http_status: '499' }, count: 1 });
  });
});

describe('the switch', () => {
  it('is off by default', async () => {
    const app = await runApp(SCRIPT);
    try {
      await exchange(app.port, [getBytes('/users/5')]);
      const { text } = await app.metricsWhen((seen) => sum(seen, INNER) === 1);
      assert.ok(!text.includes('flask_'), text);
    } finally {
      await app.stop();
    }
  });

  it('leaves the caps of the label path to the endpoint', async () => {
    const env = { [SWITCH]: '1', CHANNEL_EXPORTER_LABEL_VALUES_LIMIT: 'route=1,path=1' };
    const app = await runApp(SCRIPT, { env });
    try {
      for (const target of ['/users/5', '/broken', '/concrete/1', '/concrete/2'])
        await exchange(app.port, [getBytes(target)]);
      const metrics = await app.metricsWhen((seen) => sum(seen, COUNT) === 4);
      const endpoints = metrics.counts(COUNT).map(({ labels }) => labels.endpoint);
      assert.deepEqual([...new Set(endpoints)].sort(), ['/concrete/1', '/users/:id', 'other']);
    } finally {
      await app.stop();
    }
  });
});
