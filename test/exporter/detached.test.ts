/** What other readers are given: copies, with the time since when each series is counted. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { DataPoint, Histogram, MetricProducer } from '@opentelemetry/sdk-metrics';
import { createDetachedProducer } from '../../src/exporter/detached';
import { createMeasuring } from '../support/measuring';

const SETTINGS = {
  syscode: 'B000000001',
  innerMetricsBuckets: [100, 200],
  partnerHttpMetricsBuckets: [1],
  consumerMetricsBuckets: [1],
  flaskMetrics: false,
};
const INNER = 'B000000001_inner_metrics';

async function innerOf(producer: MetricProducer): Promise<readonly DataPoint<Histogram>[]> {
  const { resourceMetrics, errors } = await producer.collect();
  assert.deepEqual(errors, []);
  const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
  const inner = metrics.find(({ descriptor }) => descriptor.name === INNER);
  return inner?.dataPoints as readonly DataPoint<Histogram>[];
}

const labelsOf = (path: string) => ['', path, '200', '', ''];
const millis = ([seconds, nanos]: readonly [number, number]) => seconds * 1_000 + nanos / 1_000_000;

describe('a detached producer', () => {
  // what is collected keeps no process
  let alive: NodeJS.Timeout;
  before(() => {
    alive = setInterval(() => undefined, 1_000);
  });
  after(() => clearInterval(alive));

  it('gives points that stay as they were, and that nobody changes the totals by', async () => {
    const { hub, instruments } = createMeasuring(SETTINGS);
    const producer = createDetachedProducer(hub, async () => false);
    instruments.inner.record(labelsOf('/a'), 150);
    const first = await innerOf(producer);
    const kept = structuredClone(first);
    instruments.inner.record(labelsOf('/a'), 50);
    instruments.inner.record(labelsOf('/b'), 50);
    const second = await innerOf(producer);
    assert.deepEqual(first, kept);
    assert.deepEqual(second[0]?.value.buckets, { boundaries: [100, 200], counts: [1, 1, 0] });
    const [{ value, attributes, startTime }] = second as unknown as [DataPoint<Histogram>];
    value.buckets.counts[0] = 100;
    value.buckets.boundaries[0] = 100_000;
    attributes.path = '/changed';
    (startTime as number[])[0] = 0;
    const third = await innerOf(producer);
    assert.deepEqual(third[0]?.value, { buckets: { boundaries: [100, 200], counts: [1, 1, 0] }, sum: 200, count: 2 });
    assert.deepEqual(third[0]?.startTime, first[0]?.startTime);
    assert.deepEqual(
      third.map((point) => point.attributes.path),
      ['/a', '/b'],
    );
  });

  it('counts a series since its first measurement, and for ever since then', async () => {
    const { hub, instruments } = createMeasuring(SETTINGS);
    const producer = createDetachedProducer(hub, async () => false);
    instruments.inner.record(labelsOf('/a'), 1);
    const [early] = (await innerOf(producer)) as [DataPoint<Histogram>];
    await new Promise((resolve) => setTimeout(resolve, 5));
    const measured = Date.now();
    instruments.inner.record(labelsOf('/b'), 1);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const [same, late] = (await innerOf(producer)) as [DataPoint<Histogram>, DataPoint<Histogram>];
    assert.deepEqual(same.startTime, early.startTime);
    assert.ok(millis(late.startTime) >= measured && millis(late.startTime) < millis(late.endTime));
    assert.ok(millis(late.endTime) > measured);
  });

  it('gives several readers at once what one would get', async () => {
    const { hub, instruments } = createMeasuring(SETTINGS);
    const producer = createDetachedProducer(hub, async () => false);
    // of more series than are added in one go
    for (let index = 0; index < 1_500; index++) instruments.inner.record(labelsOf(`/${index}`), 1);
    const counts = await Promise.all([1, 2, 3].map(async () => (await innerOf(producer)).length));
    assert.deepEqual(counts, [1_500, 1_500, 1_500]);
  });

  it('gives nothing of what another process serves, and does not reject', async () => {
    const { hub, instruments } = createMeasuring(SETTINGS);
    instruments.inner.record(labelsOf('/a'), 1);
    const member = await createDetachedProducer(hub, async () => true).collect();
    assert.deepEqual(member.resourceMetrics.scopeMetrics, []);
    const failure = new Error('on purpose');
    const failing = createDetachedProducer({ collect: () => Promise.reject(failure) }, async () => false);
    const { resourceMetrics, errors } = await failing.collect();
    assert.deepEqual([resourceMetrics.scopeMetrics, errors], [[], [failure]]);
    assert.equal((await innerOf(createDetachedProducer(hub, async () => false))).length, 1, 'nothing was taken');
  });
});
