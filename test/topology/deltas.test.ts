/** What a process hands over is what it measured, and a hub takes nothing that does not fit. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AggregationTemporality, MeterProvider } from '@opentelemetry/sdk-metrics';
import { DeltaReader } from '../../src/exporter/reader';
import { type Deltas, isDeltas, toBatches } from '../../src/topology/deltas';
import { Hub } from '../../src/topology/hub';
import { encodeFrame, MAX_FRAME_BYTES } from '../../src/topology/protocol';
import { createViews, families } from '../../src/views';
import { INSTRUMENTS, METER_NAME } from '../../src/views/metric-names';

const SETTINGS = {
  syscode: 'A123010101',
  innerMetricsBuckets: [100, 200],
  partnerHttpMetricsBuckets: [100],
  consumerMetricsBuckets: [100],
  flaskMetrics: false,
};
const INNER = 'A123010101_inner_metrics';
const ERRORS = 'channel_exporter_errors_total';

function createProcess() {
  const catalogue = families(SETTINGS);
  const reader = new DeltaReader();
  const meter = new MeterProvider({ readers: [reader], views: createViews(catalogue) }).getMeter(METER_NAME);
  const inner = meter.createHistogram(INSTRUMENTS.inner);
  const errors = meter.createCounter(INSTRUMENTS.errors);
  return { reader, inner, errors, hub: new Hub(catalogue, reader) };
}

/** Totals of a hub: family to series, as labels and value. */
async function totalsOf(hub: Hub) {
  const { resourceMetrics } = await hub.collect();
  const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
  assert.ok(metrics.every((metric) => metric.aggregationTemporality === AggregationTemporality.CUMULATIVE));
  const entries = metrics.map(({ descriptor, dataPoints }) => [
    descriptor.name,
    dataPoints.map(({ attributes, value }) => ({ attributes, value })),
  ]);
  return Object.fromEntries(entries) as Record<string, { attributes: object; value: unknown }[]>;
}

describe('deltas', () => {
  for (const how of ['waiting', 'at once'] as const) {
    it(`taken ${how} are what was measured since the last time, and a hub adds them up`, async () => {
      const member = createProcess();
      const hub = createProcess();
      const take = async () => {
        const taken = how === 'waiting' ? (await member.reader.collect()).resourceMetrics : member.reader.collectNow();
        assert.ok(taken, 'the SDK is built as expected');
        return toBatches(taken);
      };
      for (const durationMs of [50, 150, 100]) {
        member.inner.record(durationMs, { path: '/x' });
        member.errors.add(1, { source: 's' });
        for (const deltas of await take()) {
          assert.ok(isDeltas(JSON.parse(JSON.stringify(deltas))));
          assert.equal(hub.hub.addDeltas(deltas).size, 0);
        }
      }
      hub.inner.record(1000, { path: '/x' });
      assert.deepEqual(await take(), []);
      const totals = await totalsOf(hub.hub);
      assert.deepEqual(totals[ERRORS], [{ attributes: { source: 's' }, value: 3 }]);
      assert.equal(totals[INNER]?.length, 1);
      const value = totals[INNER]?.[0]?.value as { count: number; sum: number; buckets: { counts: number[] } };
      assert.deepEqual([value.count, value.sum, value.buckets.counts], [4, 1300, [2, 1, 1]]);
    });
  }

  it('of many series with long labels come in batches that fit a frame, and none is missing', async () => {
    const member = createProcess();
    for (let i = 0; i < 2_000; i++) member.inner.record(i, { path: `/${i}/${'\u0007ä"'.repeat(50)}`, code: '' });
    const batches = toBatches((await member.reader.collect()).resourceMetrics);
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
  const DROPPED: readonly { name: string; deltas: Deltas; reason: string }[] = [
    { name: 'of a family that it does not have', deltas: [{ ...inner, family: 'other' }], reason: 'family' },
    { name: 'of its own state', deltas: [{ ...inner, family: 'channel_exporter_refused' }], reason: 'family' },
    { name: 'of a histogram as a counter', deltas: [{ ...inner, family: ERRORS }], reason: 'family' },
    {
      name: 'of a counter as a histogram',
      deltas: [{ family: INNER, labels: ['path'], series: [{ values: ['/x'], add: 1 }] }],
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

  it('takes no more series than the SDK would, and goes on with those it has', () => {
    const { hub } = createProcess();
    const add = (from: number, to: number) => {
      const series = Array.from({ length: to - from }, (_, index) => ({ ...row, values: [`/${from + index}`] }));
      return [...hub.addDeltas([{ ...inner, series }])];
    };
    assert.deepEqual(add(0, 20_000), []);
    assert.deepEqual(add(19_990, 20_010), [['series', 10]]);
  });
});
