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
    const take = async () => toBatches(await member.deltas());
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
    const batches = toBatches(await member.deltas());
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
