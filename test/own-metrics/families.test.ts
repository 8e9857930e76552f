/** Families of an application's own meters: as OpenTelemetry's PrometheusSerializer has them, and never spoiling the scrape. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Attributes, Meter, ObservableResult } from '@opentelemetry/api';
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { emptyResource } from '@opentelemetry/resources';
import { AggregationTemporality, type CollectionResult, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { setLogLevel } from '../../src/diagnostics/log';
import { boundaryText, metricsText } from '../../src/exporter/text/exposition';
import { applicationDeltas } from '../../src/metrics/application-deltas';
import type { Deltas } from '../../src/metrics/deltas';
import { type DeltaSource, ServiceTotals } from '../../src/metrics/totals';
import { createViews, families } from '../../src/views';
import { parseMetrics } from '../support/metrics';
import { Random } from '../support/random';

setLogLevel('none');

class Reader extends MetricReader {
  constructor(temporality: AggregationTemporality) {
    super({ aggregationTemporalitySelector: () => temporality, cardinalitySelector: () => SERIES_LIMIT });
  }

  protected override async onForceFlush(): Promise<void> {}

  protected override async onShutdown(): Promise<void> {}
}

const CATALOGUE = families(
  {
    syscode: 'B000000001',
    innerMetricsBuckets: [100],
    partnerHttpMetricsBuckets: [100],
    consumerMetricsBuckets: [100],
    flaskMetrics: false,
  },
  () => false,
);
const SERIES_LIMIT = 1_000;
const OURS = new Set(CATALOGUE.map(({ name }) => name));
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];
const ROUNDS = 6;

function setUp() {
  const deltas = new Reader(AggregationTemporality.DELTA);
  const cumulative = new Reader(AggregationTemporality.CUMULATIVE);
  const provider = new MeterProvider({ readers: [deltas, cumulative], views: createViews(CATALOGUE, SERIES_LIMIT) });
  let collected: Deltas = [];
  const source: DeltaSource = {
    async collect() {
      const { resourceMetrics, errors } = await deltas.collect();
      collected = applicationDeltas(resourceMetrics.scopeMetrics, Date.now);
      return errors;
    },
    take: () => collected,
    takeNow: () => [],
  };
  const hub = new ServiceTotals(CATALOGUE, source, {
    resource: emptyResource(),
    seriesLimit: SERIES_LIMIT,
    rooms: new Map(),
  });
  return { provider, hub, cumulative, meter: provider.getMeter('shop', '1') };
}

async function read(reader: { collect(): Promise<CollectionResult> }): Promise<CollectionResult['resourceMetrics']> {
  // as a server would, which keeps the process: nothing of ours does
  const server = setInterval(() => undefined, 1_000);
  const { resourceMetrics, errors } = await reader.collect().finally(() => clearInterval(server));
  assert.deepEqual(errors, []);
  return resourceMetrics;
}

/** The text of the application's families alone. */
async function textOf(hub: ServiceTotals): Promise<string> {
  const { scopeMetrics } = await read(hub);
  const metrics = scopeMetrics.flatMap((scope) => scope.metrics);
  const text = metricsText(metrics.filter(({ descriptor }) => !OURS.has(descriptor.name)));
  parseMetrics(metricsText(metrics));
  return text;
}

/** The serializer's text as ours has to be: no units, and boundaries as Python writes them. */
async function serialized(reader: Reader): Promise<string> {
  const serializer = new PrometheusSerializer(undefined, false, undefined, true, true);
  return serializer
    .serialize(await read(reader))
    .replace(/^# UNIT .*\n/gm, '')
    .replace(/le="([^"+]+)"/g, (_, boundary) => `le="${boundaryText(Number(boundary))}"`);
}

const NAMES: readonly [string, ...string[]] = [
  'orders',
  'shop.orders',
  'a-b__c/d',
  'done_total',
  'x.y.z_total',
  'Ends_',
];
const ATTRIBUTES: readonly [Attributes, ...Attributes[]] = [
  {},
  { kind: 'a' },
  { kind: 'b', 'deep.name': 'x' },
  { kind: 'quote " back \\ line \n', size: 3, list: ['p', 'q'], flag: true },
];

describe("an application's own families", () => {
  for (const seed of SEEDS) {
    it(`are written as PrometheusSerializer writes them, over several scrapes (seed ${seed})`, async () => {
      const { hub, cumulative, meter } = setUp();
      const random = new Random(seed);
      const below = (limit: number) => random.below(limit);
      const pick = <T>(items: readonly T[]) => random.pick(items);
      const name = (kind: string) => `${kind}.${pick(NAMES)}`;
      const options = { description: pick(['', 'What it is.', 'a \\ and\na line']), unit: pick(['', 'ms', '1']) };
      const counter = meter.createCounter(name('c'), options);
      const upDown = meter.createUpDownCounter(name('u'), options);
      const gauge = meter.createGauge(name('g'), options);
      const histogram = meter.createHistogram(name('h'), {
        ...options,
        advice: { explicitBucketBoundaries: [0.5, 1, 250, 1e6] },
      });
      const standard = meter.createHistogram(name('s'), options);
      let level = 0;
      meter.createObservableCounter(name('oc'), options).addCallback((result) => {
        for (const attributes of ATTRIBUTES) result.observe(level, attributes);
      });
      meter.createObservableUpDownCounter(name('ou'), options).addCallback((result) => result.observe(5 - level));
      meter.createObservableGauge(name('og'), options).addCallback((result) => result.observe(-level, { kind: 'a' }));
      for (let round = 0; round < ROUNDS; round++) {
        for (let i = below(10); i > 0; i--) {
          counter.add(below(10), pick(ATTRIBUTES));
          upDown.add(below(10) - 5, pick(ATTRIBUTES));
          gauge.record(pick([random.next(), -1, Number.POSITIVE_INFINITY, 0]), pick(ATTRIBUTES));
          histogram.record(below(2e6), pick(ATTRIBUTES));
          standard.record(below(12_000), pick(ATTRIBUTES));
        }
        level += below(4);
        const [ours, theirs] = [await textOf(hub), await serialized(cumulative)];
        assert.deepEqual(familiesOf(ours), familiesOf(theirs));
      }
    });
  }

  it('are summaries where a histogram has no boundaries', async () => {
    const { hub, meter } = setUp();
    const size = meter.createHistogram('size', { advice: { explicitBucketBoundaries: [] } });
    size.record(2, { kind: 'a' });
    await textOf(hub);
    size.record(3, { kind: 'a' });
    assert.equal(
      await textOf(hub),
      '# HELP size description missing\n# TYPE size summary\nsize_count{kind="a"} 2\nsize_sum{kind="a"} 5\n',
    );
  });

  it('show of an observable instrument what it observed this time, and keep its sums', async () => {
    const { hub, meter } = setUp();
    let now: Record<string, number> = { a: 1, b: 5 };
    const observe = (result: ObservableResult) => {
      for (const [queue, value] of Object.entries(now)) result.observe(value, { queue });
    };
    meter.createObservableGauge('depth').addCallback(observe);
    meter.createObservableCounter('taken').addCallback(observe);
    const samples = async () =>
      parseMetrics(`#\n${await textOf(hub)}`).samples.map((s) => [s.name, s.labels.queue, s.value]);
    assert.deepEqual(await samples(), [
      ['depth', 'a', 1],
      ['depth', 'b', 5],
      ['taken_total', 'a', 1],
      ['taken_total', 'b', 5],
    ]);
    now = { b: 6 };
    assert.deepEqual(await samples(), [
      ['depth', 'b', 6],
      ['taken_total', 'b', 6],
    ]);
    // its source has begun anew: what was counted before stays
    now = { b: 2 };
    assert.deepEqual(await samples(), [
      ['depth', 'b', 2],
      ['taken_total', 'b', 8],
    ]);
  });

  const CLASHES: readonly [title: string, make: (one: Meter, other: Meter) => void, expected: string[]][] = [
    [
      'of two meters belong to the first',
      (one, other) => {
        one.createCounter('orders').add(1);
        other.createCounter('orders').add(10);
      },
      ['orders_total 1'],
    ],
    [
      'of two kinds belong to the first',
      (one) => {
        one.createGauge('orders_total').record(1);
        one.createCounter('orders').add(10);
      },
      ['orders_total 1'],
    ],
    [
      'of samples of a histogram are not taken by a gauge',
      (one) => {
        one.createHistogram('wait', { advice: { explicitBucketBoundaries: [] } }).record(1);
        one.createGauge('wait_count').record(10);
      },
      ['wait_count 1', 'wait_sum 1'],
    ],
    [
      'that are ours are not taken by the application',
      (one) => {
        one.createCounter('partner_http_errors').add(10);
        one.createGauge('partner_http_metrics_count').record(10);
        one.createHistogram('channel.inner.duration', { advice: { explicitBucketBoundaries: [] } }).record(1);
      },
      ['channel_inner_duration_count 1', 'channel_inner_duration_sum 1'],
    ],
    [
      'of labels that are written alike are one series',
      (one) => {
        const counter = one.createCounter('c');
        counter.add(1, { 'a.b': '1', z: 'z' });
        counter.add(2, { z: 'z', a_b: 1 });
      },
      ['c_total{a_b="1",z="z"} 3'],
    ],
    [
      'of labels are such as Prometheus takes',
      (one) => {
        one.createHistogram('h', { advice: { explicitBucketBoundaries: [5] } }).record(1, { le: 'x' });
        one.createGauge('g').record(1, { '1st': 'a\ud800', '': 'b', 码: 'c' });
      },
      [
        'h_count{exported_le="x"} 1',
        'h_sum{exported_le="x"} 1',
        'h_bucket{exported_le="x",le="5.0"} 1',
        'h_bucket{exported_le="x",le="+Inf"} 1',
        'g{_1st="a\ufffd",_="c"} 1',
      ],
    ],
    ['of nothing but other characters are left out', (one) => one.createGauge('码').record(1), []],
  ];
  for (const [title, make, expected] of CLASHES) {
    it(`names ${title}`, async () => {
      const { hub, provider } = setUp();
      make(provider.getMeter('one'), provider.getMeter('other'));
      const lines = (await textOf(hub)).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
      assert.deepEqual(lines, expected);
    });
  }

  it('are bounded: beyond the limit of series the rest is one, and no count is lost', async () => {
    const { hub, meter } = setUp();
    const counter = meter.createCounter('c');
    const each = SERIES_LIMIT / 2;
    for (let batch = 0; batch < 3; batch++) {
      for (let i = 0; i < each; i++) counter.add(1, { id: batch * each + i });
      await read(hub);
    }
    const { samples } = parseMetrics(await textOf(hub));
    assert.equal(samples.length, SERIES_LIMIT + 1);
    const overflow = samples.find(({ labels }) => labels.otel_metric_overflow === 'true');
    assert.equal(overflow?.value, each);
  });
});

/** Families by name: ours come in the order of their first observation. */
function familiesOf(text: string): Record<string, string> {
  const blocks = text.split(/^(?=# HELP )/m).map((block) => block.trim());
  return Object.fromEntries(blocks.map((block) => [block.split(' ')[2], block]));
}
