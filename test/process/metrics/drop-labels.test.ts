/** A label that is dropped at its source is added up exactly; Prometheus, asked to drop it, loses measurements. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type App, INNER, runApp } from '../../support/app';
import { type DebianProgram, findDebianProgram } from '../../support/debian';
import { flood } from '../../support/flood';
import { FIXTURES } from '../../support/paths';
import { Prometheus } from '../../support/prometheus';

const APP = join(FIXTURES, 'hostile/routes.js');
const PROMETHEUS: DebianProgram = { packages: ['prometheus'], program: 'usr/bin/prometheus' };
const ROUTES = 60;
const CODES = 5;
const CALLERS = 20;
const REQUESTS = ROUTES * CODES * CALLERS;

/** Each route with each code for each caller, once. */
const requests = Array.from({ length: REQUESTS }, (_, n) => {
  const route = Math.floor(n / CODES / CALLERS);
  const head = `GET /api/resource${route}/7?code=${n % CODES} HTTP/1.1\r\nHost: a\r\nX-Key: 1\r\n`;
  return `${head}User-Agent: caller${Math.floor(n / CODES) % CALLERS}\r\nMethod-Code: M${route}\r\n\r\n`;
});

async function askAll(app: App): Promise<void> {
  let next = 0;
  await flood(app.port, REQUESTS, () => requests[next++] as string);
}

const targetOf = (app: App) => new URL(app.metricsUrl).host;

describe(`a service with ${ROUTES} routes, ${CODES} codes and ${CALLERS} callers`, () => {
  let whole: App;
  let dropping: App;
  before(async () => {
    [whole, dropping] = await Promise.all([
      runApp(APP),
      runApp(APP, { env: { CHANNEL_EXPORTER_DROP_LABELS: 'inner=f_code' } }),
    ]);
    await Promise.all([askAll(whole), askAll(dropping)]);
  });
  after(() => Promise.all([whole?.stop(), dropping?.stop()]));

  it('has a series for each of its requests by default, and none is other', async (t) => {
    const metrics = await whole.metrics();
    t.diagnostic(`${(metrics.text.length / 1e6).toFixed(1)} MB`);
    assert.equal(metrics.counts(INNER).length, REQUESTS);
    assert.ok(!whole.stderr().includes('OVERFLOW'), whole.stderr());
  });

  it('keeps a label that it drops, empty, and adds up exactly', async (t) => {
    const metrics = await dropping.metrics();
    t.diagnostic(`${(metrics.text.length / 1e6).toFixed(1)} MB`);
    const series = metrics.counts(INNER);
    assert.equal(series.length, ROUTES * CODES);
    for (const { labels, count } of series) assert.deepEqual([labels.f_code, count], ['', CALLERS]);
    assert.ok(series.every(({ labels }) => labels.method_code !== ''));
  });

  it('loses measurements without a sign where Prometheus drops the label, and none where it does itself', async (t) => {
    const found = await findDebianProgram(PROMETHEUS);
    if ('missing' in found) {
      t.skip(found.missing);
      return;
    }
    const targets = { trap: targetOf(whole), source: targetOf(dropping) };
    const relabelled = { trap: [{ action: 'labeldrop', regex: 'f_code' }] };
    const prometheus = await Prometheus.start(found.path, targets, '2s', { relabelled });
    try {
      const sum = async (job: string) => (await prometheus.query(`sum(${INNER}_count{job="${job}"})`))[0]?.value ?? 0;
      await prometheus.when('both are scraped', async () => (await sum('trap')) > 0 && (await sum('source')) > 0);
      assert.equal(await sum('source'), REQUESTS);
      assert.equal(await sum('trap'), ROUTES * CODES);
      const up = await prometheus.query('up');
      assert.deepEqual(
        up.map(({ value }) => value),
        [1, 1],
      );
    } finally {
      await prometheus.stop();
    }
  });
});
