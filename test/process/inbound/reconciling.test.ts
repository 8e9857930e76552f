/** What a load balancer has in its log is what the scrape counts, recorded and not. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { INNER, runApp } from '../../support/app';
import { findDebianProgram, reportNotRun } from '../../support/debian';
import type { Metrics } from '../../support/metrics';
import { startNginx } from '../../support/nginx';
import { ROOT } from '../../support/paths';
import { Prometheus } from '../../support/prometheus';
import { until } from '../../support/waiting';

const UNRECORDED = 'channel_exporter_unrecorded_requests_total';
const ROUNDS = 10;
/** Of one round; the last is one whose client leaves. */
const PATHS = [
  '/',
  '/api/users/1',
  '/status/404',
  '/status/500',
  '/nowhere',
  '/api/nowhere',
  '/healthcheck',
  '/metrics',
];
const SCRAPE_LIMIT_MS = 30_000;

const sum = (metrics: Metrics, family: string) => metrics.counts(family).reduce((total, { count }) => total + count, 0);

/** Asks for an answer that does not come, and leaves. */
async function leave(port: number): Promise<void> {
  const asked = request({ port, host: '127.0.0.1', path: '/hang/1' });
  asked.on('error', () => undefined).end();
  await new Promise((resolve) => setTimeout(resolve, 50));
  asked.destroy();
}

describe('a load balancer in front of a service', () => {
  it('has logged as many requests as the scrape counts, and as the documented query gives', async (t) => {
    const app = await runApp('test/fixtures/apps/inbound-express.js', { args: ['express'] });
    const nginx = await startNginx(app.port).catch((error: Error) => reportNotRun(t, error.message));
    try {
      if (nginx === undefined) return;
      for (let round = 0; round < ROUNDS; round++) {
        for (const path of PATHS) {
          const method = ['GET', 'HEAD', 'POST'][round % 3] as string;
          const body = method === 'POST' ? '{"a":1}' : null;
          await (await fetch(`http://127.0.0.1:${nginx.port}${path}`, { method, body })).text();
        }
        await leave(nginx.port);
      }
      const wanted = ROUNDS * (PATHS.length + 1);
      await until(() => nginx.statuses().length >= wanted, 'nginx has logged all');
      const statuses = nginx.statuses();
      assert.equal(statuses.length, wanted);
      const counted = (metrics: Metrics) => sum(metrics, INNER) + sum(metrics, UNRECORDED);
      const metrics = await app.metricsWhen((seen) => counted(seen) >= wanted);
      assert.equal(counted(metrics), wanted);

      const ignored = metrics.counts(UNRECORDED).find(({ labels }) => labels.reason === 'ignored')?.count ?? 0;
      assert.equal(ignored, 2 * ROUNDS);
      // of the ignored ones the status is not known: the program has no such routes
      const is404 = (status: number) => status === 404;
      assert.equal(sum(metrics, UNRECORDED), statuses.filter(is404).length);
      for (const status of new Set(statuses.filter((each) => !is404(each)))) {
        const own = metrics.counts(INNER).filter(({ labels }) => labels.http_status === String(status));
        const logged = statuses.filter((each) => each === status).length;
        assert.equal(
          own.reduce((total, { count }) => total + count, 0),
          logged,
          `status ${status}`,
        );
      }
      assert.ok(statuses.includes(499), 'a client has left');
      await queried(t, app.metricsUrl, wanted);
    } finally {
      await nginx?.stop();
      await app.stop();
    }
  });
});

/** The query of docs/metrics.md as a total since the start. */
async function queried(t: Parameters<typeof reportNotRun>[0], metricsUrl: string, wanted: number): Promise<void> {
  const found = await findDebianProgram({ packages: ['prometheus'], program: 'usr/bin/prometheus' });
  if ('missing' in found) {
    reportNotRun(t, found.missing);
    return;
  }
  const page = readFileSync(join(ROOT, 'docs/metrics.md'), 'utf8');
  const query = /```promql\n([^`]*unrecorded_requests_total[^`]*)```/.exec(page)?.[1];
  assert.ok(query, 'docs/metrics.md has the query');
  const total = query.replace(/rate\((.*?)\[5m\]\)/g, '$1');
  const prometheus = await Prometheus.start(found.path, {
    app: new URL(metricsUrl).host.replace('localhost', '127.0.0.1'),
  });
  try {
    let seen: unknown;
    const isSo = async () => {
      seen = await prometheus.query(total);
      return (seen as { value: number }[])[0]?.value === wanted;
    };
    await prometheus
      .when(total, isSo, SCRAPE_LIMIT_MS)
      .catch((error) => assert.fail(`${error} ${JSON.stringify(seen)}`));
    assert.ok(Array.isArray(await prometheus.query(query)), 'the query itself is one');
  } finally {
    await prometheus.stop();
  }
}
