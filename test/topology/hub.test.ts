/** The hub adds deltas up to what a cumulative reader of the same instruments would have seen. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  AggregationTemporality,
  type CollectionResult,
  MeterProvider,
  MetricReader,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { createInstruments } from '../../src/core/instruments';
import { sharedState } from '../../src/core/overrides';
import { DeltaReader } from '../../src/exporter/reader';
import { metricsText } from '../../src/exporter/text';
import { Hub } from '../../src/topology/hub';
import { createViews, families } from '../../src/views';
import { SERIES_PER_COLLECTION } from '../../src/views/limits';
import { METER_NAME } from '../../src/views/metric-names';
import { type Metrics, parseMetrics } from '../support/metrics';
import { seededRandom } from '../support/seeded-random';

class CumulativeReader extends MetricReader {
  constructor() {
    super({
      aggregationTemporalitySelector: () => AggregationTemporality.CUMULATIVE,
      cardinalitySelector: () => SERIES_PER_COLLECTION,
    });
  }

  protected override async onForceFlush(): Promise<void> {}

  protected override async onShutdown(): Promise<void> {}
}

const CATALOGUE = families({
  syscode: 'B000000001',
  innerMetricsBuckets: [100, 200, 500],
  partnerHttpMetricsBuckets: [1, 2, 3],
  consumerMetricsBuckets: [1000],
  flaskMetrics: true,
});
const RUNS = 50;

function setUp() {
  const deltas = new DeltaReader();
  const cumulative = new CumulativeReader();
  const provider = new MeterProvider({ readers: [deltas, cumulative], views: createViews(CATALOGUE) });
  const instruments = createInstruments(provider.getMeter(METER_NAME));
  return { instruments, cumulative, deltas, hub: new Hub(CATALOGUE, deltas) };
}

function textOf({ scopeMetrics }: ResourceMetrics): string {
  return metricsText(scopeMetrics.flatMap((scope) => scope.metrics));
}

async function read(reader: { collect(): Promise<CollectionResult> }): Promise<Metrics> {
  const { resourceMetrics, errors } = await reader.collect();
  assert.deepEqual(errors, []);
  return parseMetrics(textOf(resourceMetrics));
}

/** Samples in an order of their own: series appear in the order of their first observation. */
function samplesOf(metrics: Metrics): string[] {
  return metrics.samples.map((sample) => JSON.stringify(sample)).sort();
}

describe('the hub', () => {
  it(`shows the sums that a cumulative reader has, over ${RUNS} random runs with a collection now and then`, async () => {
    for (let seed = 1; seed <= RUNS; seed++) {
      const random = seededRandom(seed);
      const { instruments, cumulative, hub } = setUp();
      for (let step = 0; step < 200; step++) {
        // multiples of a quarter, whose sums are exact in whatever order they are added
        const value = random.below(4_000) / 4;
        const labels = { path: `/${random.below(5)}`, code: random.pick(['', '0', '-1', '"\\\n']) };
        const work = random.pick([
          () => instruments.inner.record(value, labels),
          () => instruments.partner.record(value, labels),
          () => instruments.consumer.record(value),
          () => instruments.partnerErrors.add(random.below(3), labels),
          () => instruments.lastCall.record(value, labels),
        ]);
        work();
        if (random.below(20) === 0) await hub.collect();
      }
      assert.deepEqual(samplesOf(await read(hub)), samplesOf(await read(cumulative)), `seed ${seed}`);
    }
  });

  it('shows every family of the catalogue before anything was observed', async () => {
    const metrics = await read(setUp().hub);
    assert.deepEqual(
      [...metrics.types],
      CATALOGUE.filter(({ isShown }) => isShown === undefined).map(({ name, kind }) => [name, kind]),
    );
    assert.deepEqual(metrics.samples, []);
  });

  it('shows a family on demand from its first observation on, or when it says so', async () => {
    const { instruments, hub } = setUp();
    const names = CATALOGUE.filter(({ isShown }) => isShown !== undefined).map(({ name }) => name);
    const shown = async () => [...(await read(hub)).types.keys()].filter((name) => names.includes(name));
    assert.equal(names.length, 4);
    assert.deepEqual(await shown(), []);
    instruments.callFailures.add(1, { env: 'PROD', url: 'f' });
    assert.deepEqual(await shown(), ['failure_count_total']);
    sharedState().hasMonitored = true;
    try {
      assert.deepEqual(await shown(), names);
    } finally {
      sharedState().hasMonitored = false;
    }
  });

  it('keeps showing a series that has not changed since the last collection', async () => {
    const { instruments, hub } = setUp();
    instruments.inner.record(7, { path: '/once' });
    const first = await read(hub);
    assert.equal(first.counts('B000000001_inner_metrics')[0]?.count, 1);
    assert.equal((await read(hub)).text, first.text);
  });

  it('hands the errors of a collection on, and loses nothing of what that collection brought', async () => {
    const { instruments, deltas } = setUp();
    let errors: unknown[] = [new Error('one callback failed')];
    const hub = new Hub(CATALOGUE, { collect: async () => ({ ...(await deltas.collect()), errors }) });
    instruments.consumer.record(7);
    assert.deepEqual((await hub.collect()).errors, errors);
    errors = [];
    assert.equal((await read(hub)).counts('B000000001_consumer_metrics')[0]?.count, 1);
  });
});
