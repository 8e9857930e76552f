/** What callers make up does not take the room of what the application defines, in one process and in its hub. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { DEFAULT_SERIES } from '../../src/config/defaults';
import { labelLimits, NO_DROPS } from '../../src/config/label-parsers';
import type { Deltas } from '../../src/metrics/deltas';
import type { InnerLabels } from '../../src/metrics/measurement';
import { createPipeline, type Pipeline, type PipelineSettings } from '../../src/metrics/pipeline';
import { ServiceTotals } from '../../src/metrics/totals';
import { kept, scrapeOf } from '../support/measuring';
import type { Metrics } from '../support/metrics';
import { Random } from '../support/random';

const SETTINGS: PipelineSettings = {
  syscode: 'B000000001',
  innerMetricsBuckets: [100, 200, 500, 800, 1000, 1500, 2000, 2500, 3000, 4000, 5000, 6000, 8000],
  partnerHttpMetricsBuckets: [100],
  consumerMetricsBuckets: [100],
  flaskMetrics: true,
  env: 'PROD',
  labelValuesLimit: labelLimits({}),
  dropLabels: NO_DROPS,
  resourceAttributes: {},
  seriesLimit: DEFAULT_SERIES,
};
const INNER = 'B000000001_inner_metrics';
const HOSTILE = 1_000_000;
/** What a million hostile requests may leave in memory, as docs/limits.md says. */
const HEAP_BOUND_BYTES = 40 * 1024 * 1024;
const ROUTES = 60;
const CODES = ['0', '1001', '1002', '1003', '1004'];
const STATUSES = ['200', '201', '400', '401', '500', '503'];

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

function processOf(settings: Partial<PipelineSettings> = {}) {
  const pipeline = createPipeline({ ...SETTINGS, ...settings }, () => false);
  const { seriesLimit } = { ...SETTINGS, ...settings };
  const totals = new ServiceTotals(pipeline.catalogue, pipeline.collector, {
    resource: pipeline.resource,
    seriesLimit,
    rooms: pipeline.rooms,
  });
  return { pipeline, totals, scrape: () => scrapeOf(totals) };
}

async function takenFrom({ collector }: Pipeline): Promise<Deltas> {
  await kept(() => collector.collect());
  return collector.take();
}

function record({ recorder }: Pipeline, labels: Partial<InnerLabels>): void {
  const usual = { fCode: 'app', path: '/', isRoute: true, httpStatus: '200', code: '', methodCode: '' };
  recorder.recordInner({ ...usual, httpMethod: 'GET', ...labels }, 1);
}

/** A request whose caller chooses whatever a caller can; a route echoes its code, and a middleware answers others. */
function recordHostile(pipeline: Pipeline, random: Random): void {
  // some again and again, so that they meet in many combinations
  const word = () => `${random.below(random.pick([100, 1_000_000_000]))}`;
  const isRoute = random.below(3) === 0;
  record(pipeline, {
    fCode: word(),
    path: isRoute ? '/echo/:code' : `/${word()}`,
    isRoute,
    httpStatus: random.pick(['200', ...STATUSES]),
    code: word(),
    methodCode: word(),
  });
}

const route = (n: number) => `/api/v1/resource${n}/:id`;

/** Each route with each code once, from one caller. */
function recordService(pipeline: Pipeline): void {
  for (let n = 0; n < ROUTES; n++) {
    for (const code of CODES) record(pipeline, { fCode: 'shop/1.0', path: route(n), code, methodCode: 'M1' });
  }
}

/** @returns how many measurements each route and code of the service has */
function serviceCounts(metrics: Metrics): number[] {
  const series = metrics.counts(INNER);
  return Array.from({ length: ROUTES }, (_, n) =>
    CODES.map((code) => {
      const own = series.filter(({ labels }) => labels.path === route(n) && labels.code === code);
      return own.reduce((sum, { count }) => sum + count, 0);
    }),
  ).flat();
}

const total = (metrics: Metrics, family = INNER) => metrics.counts(family).reduce((sum, { count }) => sum + count, 0);
const times = (count: number) => new Array(ROUTES * CODES.length).fill(count);

describe(`after ${HOSTILE} requests with made-up paths, callers, interface numbers and codes`, () => {
  const { pipeline, scrape } = processOf();
  const random = new Random(1);

  it('memory is bounded', (t) => {
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    for (let n = 0; n < HOSTILE; n++) recordHostile(pipeline, random);
    collectGarbage();
    const grown = process.memoryUsage().heapUsed - before;
    t.diagnostic(`${(grown / 1e6).toFixed(1)} MB`);
    assert.ok(grown < HEAP_BOUND_BYTES, `${grown} bytes`);
  });

  it('routes and codes that come for the first time have series of their own', async () => {
    recordService(pipeline);
    recordService(pipeline);
    const metrics = await scrape();
    assert.deepEqual(serviceCounts(metrics), times(2));
    assert.equal(total(metrics), HOSTILE + 2 * ROUTES * CODES.length);
    assert.ok(metrics.counts(INNER).length < DEFAULT_SERIES);
  });

  it('so have they in the families of Flask exporters', async () => {
    const counts = (await scrape()).counts('flask_request_count_total');
    for (let n = 0; n < ROUTES; n++) {
      assert.equal(counts.find(({ labels }) => labels.endpoint === route(n))?.count, 2 * CODES.length);
    }
  });
});

describe('the hub of members that are asked for whatever callers make up', () => {
  it('adds up all of it, and has a series for each route and code that comes after', async () => {
    const hub = processOf();
    const members = Array.from({ length: 12 }, () => processOf());
    const each = 15_000;
    for (const [index, { pipeline }] of members.entries()) {
      const random = new Random(index + 1);
      for (let n = 0; n < each; n++) recordHostile(pipeline, random);
      assert.equal(hub.totals.addDeltas(await takenFrom(pipeline)).size, 0);
    }
    for (const { pipeline } of members) {
      recordService(pipeline);
      assert.equal(hub.totals.addDeltas(await takenFrom(pipeline)).size, 0);
    }
    const metrics = await hub.scrape();
    assert.deepEqual(serviceCounts(metrics), times(members.length));
    assert.equal(total(metrics), members.length * (each + ROUTES * CODES.length));
    assert.ok(metrics.counts(INNER).length < DEFAULT_SERIES);
  });
});

describe('paths that no framework reports', () => {
  const paths = (metrics: Metrics) => new Map(metrics.counts(INNER).map(({ labels, count }) => [labels.path, count]));

  it('have room apart from that of routes', async () => {
    const { pipeline, scrape } = processOf({ labelValuesLimit: labelLimits({ path: 2, route: 2 }) });
    for (const path of ['/a', '/b', '/c', '/a']) record(pipeline, { path, isRoute: false });
    for (const path of ['/r', '/s', '/t', '/r']) record(pipeline, { path });
    assert.deepEqual(
      [...paths(await scrape())],
      [
        ['/a', 2],
        ['/b', 1],
        ['other', 2],
        ['/r', 2],
        ['/s', 1],
      ],
    );
  });

  it('are the route of the same text from when that is reported, and leave their room to others', async () => {
    const { pipeline, scrape } = processOf({ labelValuesLimit: labelLimits({ path: 1, route: 10 }) });
    record(pipeline, { path: '/users', isRoute: false, httpStatus: '401' });
    record(pipeline, { path: '/orders', isRoute: false, httpStatus: '401' });
    for (const path of ['/users', '/orders']) record(pipeline, { path });
    for (const path of ['/users', '/orders', '/other']) record(pipeline, { path, isRoute: false, httpStatus: '401' });
    const series = (await scrape()).counts(INNER).map(({ labels, count }) => [labels.path, labels.http_status, count]);
    assert.deepEqual(series, [
      ['/users', '401', 2],
      ['other', '401', 1],
      ['/users', '200', 1],
      ['/orders', '200', 1],
      ['/orders', '401', 1],
      ['/other', '401', 1],
    ]);
  });

  it('are cut and printable like any other value, in one series', async () => {
    const { pipeline, scrape } = processOf();
    for (const end of ['x', 'y']) record(pipeline, { path: `/\u0001${'a'.repeat(300)}${end}`, isRoute: false });
    const [series, ...others] = (await scrape()).counts(INNER);
    assert.deepEqual(others, []);
    assert.equal(series?.count, 2);
    assert.match(series?.labels.path ?? '', /^\/\ufffda{250}\.\.\.$/);
  });
});

describe('codes', () => {
  it('that are data collapse on their path alone, partner action and topic likewise', async () => {
    const { pipeline, scrape } = processOf({ labelValuesLimit: labelLimits({ code: 3 }) });
    const codes = ['1', '2', '3', '4', '5'];
    for (const code of codes) record(pipeline, { path: '/articles', code });
    record(pipeline, { path: '/orders', code: '9' });
    const partner = { partner: '12', httpStatus: '200' };
    for (const code of codes) pipeline.recorder.recordPartner({ ...partner, actionCode: '1201', code }, 1);
    pipeline.recorder.recordPartner({ ...partner, actionCode: '1202', code: '9' }, 1);
    const metrics = await scrape();
    const seen = (family: string, label: string) =>
      metrics.counts(family).map(({ labels, count }) => [labels[label], labels.code, count]);
    const collapsed = (place: string, other: string) => [
      ...['1', '2', '3'].map((code) => [place, code, 1]),
      [place, 'other', 2],
      [other, '9', 1],
    ];
    assert.deepEqual(seen(INNER, 'path'), collapsed('/articles', '/orders'));
    assert.deepEqual(seen('partner_http_metrics', 'action_code'), collapsed('1201', '1202'));
  });
});
