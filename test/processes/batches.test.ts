/** What a process hands over is what it measured, and a hub takes nothing that does not fit. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AggregationTemporality } from '@opentelemetry/sdk-metrics';
import type { Deltas } from '../../src/metrics/deltas';
import type { ServiceTotals } from '../../src/metrics/totals';
import { isDeltas, toBatches } from '../../src/processes/batches';
import { encodeFrame, MAX_FRAME_BYTES } from '../../src/processes/protocol';
import { collectFrom, createMeasuring, SERIES_LIMIT } from '../support/measuring';

const SETTINGS = {
  syscode: 'A123010101',
  innerMetricsBuckets: [100, 200],
  partnerHttpMetricsBuckets: [100],
  consumerMetricsBuckets: [100],
  flaskMetrics: false,
};
const INNER = 'A123010101_inner_metrics';
const ERRORS = 'channel_exporter_errors_total';
const X = ['', '/x', '200', '', ''];

/** Of the application's own. */
const ORDERS = {
  family: 'orders_total',
  labels: ['kind'],
  instrument: { kind: 'counter', isObservable: false, help: '', unit: '', meter: 'shop', owner: 'shop' },
  series: [{ values: ['a'], add: 2 }],
} as const satisfies Deltas[number];

const createProcess = () => createMeasuring(SETTINGS);

/** Totals of a hub: family to series, as labels and value. */
async function totalsOf(hub: ServiceTotals) {
  const { resourceMetrics } = await collectFrom(hub);
  const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
  assert.ok(metrics.every((metric) => metric.aggregationTemporality === AggregationTemporality.CUMULATIVE));
  const entries = metrics.map(({ descriptor, dataPoints }) => [
    descriptor.name,
    dataPoints.map(({ attributes, value }) => ({ attributes, value })),
  ]);
  return Object.fromEntries(entries) as Record<string, { attributes: object; value: unknown }[]>;
}

describe('deltas', () => {
  it('are what was measured since the last time, and a hub adds them up', async () => {
    const member = createProcess();
    const hub = createProcess();
    const take = async () => [...toBatches(await member.deltas())];
    for (const [index, durationMs] of [50, 150, 100].entries()) {
      member.instruments.inner.record(X, durationMs);
      member.instruments.errors.add(['s'], 1);
      member.instruments.lastCall.record(['f'], index);
      for (const deltas of await take()) {
        const arrived = JSON.parse(JSON.stringify(deltas));
        assert.ok(isDeltas(arrived));
        assert.equal(hub.hub.addDeltas(arrived).size, 0);
      }
    }
    hub.instruments.inner.record(X, 1000);
    assert.deepEqual(await take(), []);
    const totals = await totalsOf(hub.hub);
    assert.deepEqual(totals[ERRORS], [
      { attributes: { appid: 'A123', application: 'A123010101', source: 's' }, value: 3 },
    ]);
    assert.deepEqual(totals.request_processing_time, [{ attributes: { env: 'PROD', url: 'f' }, value: 2 }]);
    assert.equal(totals[INNER]?.length, 1);
    const value = totals[INNER]?.[0]?.value as { count: number; sum: number; buckets: { counts: number[] } };
    assert.deepEqual([value.count, value.sum, value.buckets.counts], [4, 1300, [2, 1, 1]]);
  });

  it('of many series with long labels come in batches that fit a frame, and none is missing', async () => {
    const member = createProcess();
    for (let i = 0; i < 2_000; i++)
      member.instruments.inner.record(['', `/${i}/${'\tä"'.repeat(50)}`, '200', '', ''], i);
    const batches = [...toBatches(await member.deltas())];
    assert.ok(batches.length > 1);
    for (const deltas of batches) {
      assert.ok(encodeFrame({ type: 'batch', number: 1, deltas }).length < MAX_FRAME_BYTES);
    }
    assert.equal(
      batches.flat().reduce((sum, { series }) => sum + series.length, 0),
      2_000,
    );
  });
});

describe("deltas of an application's instruments", () => {
  it('of many families with long texts come in batches that fit a frame, each good for a hub', () => {
    const deltas = Array.from({ length: 1_000 }, (_, index) => ({
      ...ORDERS,
      family: `orders_${index}_total`,
      instrument: { ...ORDERS.instrument, help: '\u0001'.repeat(1_000), owner: `"${'ä'.repeat(400)}` },
    }));
    const batches = [...toBatches(deltas)];
    for (const each of batches) {
      assert.ok(encodeFrame({ type: 'batch', number: 1, deltas: each }).length < MAX_FRAME_BYTES / 2);
      assert.ok(isDeltas(each));
    }
    assert.deepEqual(batches.flat(), deltas);
  });

  const series = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) => ({ values: [String(from + index)], add: 1 }));

  it('are bounded: series of a family, families, and series of all of them', async () => {
    const { hub } = createProcess();
    assert.deepEqual([...hub.addDeltas([{ ...ORDERS, series: series(0, 2 * SERIES_LIMIT) }])], []);
    const totals = (await totalsOf(hub)).orders_total;
    assert.equal(totals?.length, SERIES_LIMIT + 1);
    assert.deepEqual(totals?.at(-1), { attributes: { otel_metric_overflow: 'true' }, value: SERIES_LIMIT });
    let dropped = 0;
    for (let n = 0; n < 30; n++) {
      const faults = hub.addDeltas([{ ...ORDERS, family: `f${n}_total`, series: series(0, SERIES_LIMIT) }]);
      dropped += faults.get('series') ?? 0;
    }
    const kept = Object.entries(await totalsOf(hub)).filter(([name]) => /^(f\d+|orders)_total$/.test(name));
    assert.equal(
      kept.reduce((sum, [, each]) => sum + each.length, 0),
      20 * SERIES_LIMIT,
    );
    assert.equal(dropped, 31 * SERIES_LIMIT + 1 - 20 * SERIES_LIMIT);

    const other = createProcess().hub;
    const faults = [];
    for (let n = 0; n < 1_010; n++) {
      faults.push(...other.addDeltas([{ ...ORDERS, family: `f${n}_total`, series: [{ values: ['a'], add: 1 }] }]));
    }
    assert.deepEqual(faults, new Array(10).fill(['series', 1]));
  });

  it('are dropped and counted where their name is taken, or their boundaries are others', () => {
    const { hub } = createProcess();
    const wait: Deltas[number] = {
      ...{
        family: 'wait',
        labels: [],
        boundaries: [1],
        instrument: { ...ORDERS.instrument, kind: 'histogram' as const },
      },
      series: [{ values: [], count: 1, sum: 1, buckets: [1, 0] }],
    };
    assert.deepEqual([...hub.addDeltas([ORDERS, wait])], []);
    const row = { values: [], count: 1, sum: 1, buckets: [1, 0, 0] };
    const WRONG: readonly [delta: Deltas[number], reason: string][] = [
      [{ ...ORDERS, instrument: { ...ORDERS.instrument, owner: 'another' } }, 'clash'],
      [{ ...ORDERS, family: ERRORS }, 'clash'],
      [{ ...ORDERS, family: 'wait_count' }, 'clash'],
      [{ ...wait, boundaries: [2] }, 'boundaries'],
      [{ ...wait, boundaries: [1, 2], series: [row] }, 'boundaries'],
    ];
    for (const [delta, reason] of WRONG) assert.deepEqual([...hub.addDeltas([delta])], [[reason, 1]]);
  });

  it('of a gauge are as new as they say, but not newer than now', async () => {
    const { hub } = createProcess();
    const now = Date.now();
    const add = (last: number, at: number) => {
      const gauge = {
        ...ORDERS,
        family: 'g',
        labels: [],
        instrument: { ...ORDERS.instrument, kind: 'gauge' },
      } as const;
      hub.addDeltas([{ ...gauge, series: [{ values: [], last, at }] }]);
    };
    const value = async () => (await totalsOf(hub)).g?.[0]?.value;
    add(1, now - 20);
    add(2, now - 30);
    assert.equal(await value(), 1);
    add(3, now + 1e9);
    assert.equal(await value(), 3);
    await new Promise((resolve) => setTimeout(resolve, 2));
    add(4, Date.now());
    assert.equal(await value(), 4);
  });

  it('begin at the collection before their first one came, each series on its own', async () => {
    const { hub } = createProcess();
    const startOf = async () => {
      const { resourceMetrics } = await collectFrom(hub);
      const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
      const points = metrics.find(({ descriptor }) => descriptor.name === 'orders_total')?.dataPoints ?? [];
      return points.map(({ startTime: [seconds, nanos] }) => seconds * 1e3 + nanos / 1e6);
    };
    const begin = Date.now();
    hub.addDeltas([{ ...ORDERS, series: series(0, 1) }]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const between = Date.now();
    await startOf();
    hub.addDeltas([{ ...ORDERS, series: series(0, 2) }]);
    const [first = 0, second = 0] = await startOf();
    assert.ok(first <= begin && between <= second, `${[begin, first, between, second]}`);
    assert.deepEqual(await startOf(), [first, second]);
  });

  it('are cut and made text, as those of this process are', async () => {
    const { hub } = createProcess();
    hub.addDeltas([{ ...ORDERS, series: [{ values: [`\ud800${'x'.repeat(300)}`], add: 1 }] }]);
    assert.deepEqual((await totalsOf(hub)).orders_total, [
      { attributes: { kind: `\ufffd${'x'.repeat(251)}...` }, value: 1 },
    ]);
  });

  it('of observable instruments stay while a process that may observe them has not answered', async () => {
    const { hub } = createProcess();
    const instrument = { ...ORDERS.instrument, isObservable: true };
    let observed = true;
    let late = 0;
    hub.include({
      gather: async () => {
        if (observed) hub.addDeltas([{ ...ORDERS, instrument }]);
        return late;
      },
      state: () => [],
    });
    const shown = async () => (await totalsOf(hub)).orders_total?.map(({ value }) => value);
    assert.deepEqual(await shown(), [2]);
    observed = false;
    late = 1;
    for (let scrape = 0; scrape < 3; scrape++) assert.deepEqual(await shown(), [2]);
    late = 0;
    assert.deepEqual(await shown(), []);
    observed = true;
    assert.deepEqual(await shown(), [4]);
  });
});

describe('a hub', () => {
  const row = { values: ['/x'], count: 1, sum: 1, buckets: [1, 0, 0] };
  const inner = { family: INNER, labels: ['path'], boundaries: [100, 200], series: [row] };
  /** As a member sends them: all labels of the family. */
  const whole = {
    ...inner,
    labels: ['appid', 'application', 'f_code', 'path', 'http_status', 'code', 'method_code'],
  };
  const rowOf = (path: string, status: string) => ({
    ...row,
    buckets: [1, 0, 0],
    values: ['B000', 'B000000001', '', path, status, '', ''],
  });
  const DROPPED: readonly { name: string; deltas: Deltas; reason: string }[] = [
    { name: 'of a family that it does not have', deltas: [{ ...inner, family: 'other' }], reason: 'family' },
    { name: 'of its own state', deltas: [{ ...inner, family: 'channel_exporter_refused' }], reason: 'family' },
    { name: 'of a histogram as a counter', deltas: [{ ...inner, family: ERRORS }], reason: 'family' },
    {
      name: 'of a counter as a histogram',
      deltas: [{ family: INNER, labels: ['path'], series: [{ values: ['/x'], add: 1 }] }],
      reason: 'family',
    },
    {
      name: 'of a gauge as a counter',
      deltas: [{ family: ERRORS, labels: ['source'], series: [{ values: ['s'], last: 1 }] }],
      reason: 'family',
    },
    { name: 'with other boundaries', deltas: [{ ...inner, boundaries: [100, 300] }], reason: 'boundaries' },
  ];
  for (const { name, deltas, reason } of DROPPED) {
    it(`drops deltas ${name}, and says how many`, async () => {
      const { hub } = createProcess();
      assert.deepEqual([...hub.addDeltas(deltas)], [[reason, 1]]);
      assert.deepEqual((await totalsOf(hub))[INNER], []);
    });
  }

  it('folds what is beyond the series that a family may have, and goes on with those it has', async () => {
    const { hub } = createProcess();
    const add = (from: number, to: number) => {
      const series = Array.from({ length: to - from }, (_, index) => rowOf(`/${from + index}`, '200'));
      return [...hub.addDeltas([{ ...whole, series }])];
    };
    assert.deepEqual(add(0, SERIES_LIMIT), []);
    assert.deepEqual(add(SERIES_LIMIT - 10, SERIES_LIMIT + 10), []);
    const series = (await totalsOf(hub))[INNER] ?? [];
    assert.equal(series.length, SERIES_LIMIT + 1);
    assert.equal((series.at(-1)?.attributes as { path?: string } | undefined)?.path, 'other');
    const counts = series.slice(-3).map(({ value }) => (value as { count: number }).count);
    assert.deepEqual(counts, [2, 2, 10]);
  });

  it('drops what would go far beyond it even so', () => {
    const { hub } = createProcess();
    const series = Array.from({ length: 3 * SERIES_LIMIT }, (_, index) => rowOf('/x', String(index)));
    const dropped = hub.addDeltas([{ ...whole, series }]);
    assert.deepEqual([...dropped], [['series', SERIES_LIMIT]]);
  });
});
