/** Our instruments, which record a series' number, measure what the SDK's do with all labels, to the last sample. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Attributes, ValueType } from '@opentelemetry/api';
import { AggregationTemporality, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { metricsText } from '../../src/exporter/text/exposition';
import { MAX_LABEL_CHARACTERS } from '../../src/metrics/label-limits';
import { createViews, type ViewSettings } from '../../src/views';
import { INSTRUMENTS, METER_NAME } from '../../src/views/metric-names';
import { collectFrom, createMeasuring, SERIES_LIMIT } from '../support/measuring';
import { type Metrics, parseMetrics } from '../support/metrics';
import { Random } from '../support/random';

const SYSCODE = 'B000000001';
const SETTINGS: ViewSettings = {
  syscode: SYSCODE,
  innerMetricsBuckets: [100, 200, 500],
  partnerHttpMetricsBuckets: [0.5, 2, 3],
  consumerMetricsBuckets: [1000],
  flaskMetrics: true,
};
const INNER = `${SYSCODE}_inner_metrics`;
const IDENTITY = { appid: 'B000', application: SYSCODE };
const RUNS = 50;
const STEPS = 300;

class CumulativeReader extends MetricReader {
  constructor() {
    super({
      aggregationTemporalitySelector: () => AggregationTemporality.CUMULATIVE,
      cardinalitySelector: () => SERIES_LIMIT,
    });
  }

  protected override async onForceFlush(): Promise<void> {}

  protected override async onShutdown(): Promise<void> {}
}

/** The SDK's instruments under our Views, and our own. */
function setUp() {
  const ours = createMeasuring(SETTINGS);
  const reader = new CumulativeReader();
  const provider = new MeterProvider({ readers: [reader], views: createViews(ours.catalogue, SERIES_LIMIT) });
  const meter = provider.getMeter(METER_NAME);
  const counter = (name: string) => meter.createCounter(name, { valueType: ValueType.INT });
  const sdk = {
    inner: meter.createHistogram(INSTRUMENTS.inner),
    partner: meter.createHistogram(INSTRUMENTS.partner),
    consumer: meter.createHistogram(INSTRUMENTS.consumer),
    partnerErrors: counter(INSTRUMENTS.partnerErrors),
    calls: counter(INSTRUMENTS.calls),
    lastCall: meter.createGauge(INSTRUMENTS.lastCall),
    flaskLatency: meter.createHistogram(INSTRUMENTS.flaskLatency),
    errors: counter(INSTRUMENTS.errors),
  };
  const scrapeOfSdk = async (): Promise<Metrics> => {
    const { resourceMetrics } = await reader.collect();
    return parseMetrics(metricsText(resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics)));
  };
  return { ours, sdk, scrapeOfSdk };
}

type Both = Pick<ReturnType<typeof setUp>, 'ours' | 'sdk'>;

const TEXTS = ['', '0', '-1', '"\\\n', 'ä\u{1f600}', 'constructor', '__proto__'] as const;

/** The same measurement on both. */
function measure({ ours: { instruments }, sdk }: Both, random: Random): void {
  // multiples of a quarter, whose sums are exact in whatever order they are added
  const value = random.below(4_000) / 4;
  const path = `/${random.below(5)}`;
  const [one, two, three] = [random.pick(TEXTS), random.pick(TEXTS), random.pick(TEXTS)];
  const count = random.below(3);
  const kinds: readonly [() => void, ...(() => void)[]] = [
    () => {
      const labels: Attributes = { f_code: one, path, http_status: '200', code: two, method_code: three };
      sdk.inner.record(value, { ...IDENTITY, ...labels });
      instruments.inner.record([one, path, '200', two, three], value);
    },
    () => {
      sdk.partner.record(value, { ...IDENTITY, partner: '12', action_code: one, http_status: '0', code: two });
      instruments.partner.record(['12', one, '0', two], value);
    },
    () => {
      sdk.consumer.record(value, { ...IDENTITY, f_code: '', topic: one, code: '0' });
      instruments.consumer.record([one, '0'], value);
    },
    () => {
      sdk.partnerErrors.add(count, { ...IDENTITY, partner: one, action_code: two, error: 'reset' });
      instruments.partnerErrors.add([one, two, 'reset'], count);
    },
    () => {
      sdk.calls.add(count, { env: 'PROD', url: one });
      instruments.calls.add([one], count);
    },
    () => {
      sdk.lastCall.record(value, { env: 'PROD', url: one });
      instruments.lastCall.record([one], value);
    },
    () => {
      sdk.flaskLatency.record(value / 100, { endpoint: path, method: 'GET' });
      instruments.flaskLatency.record([path, 'GET'], value / 100);
    },
    () => {
      sdk.errors.add(count, { ...IDENTITY, source: one });
      instruments.errors.add([one], count);
    },
  ];
  random.pick(kinds)();
}

/** Samples in an order of their own: a summed fraction may differ in its last digit. */
function samplesOf({ samples }: Metrics): string[] {
  return samples.map(({ value, ...rest }) => JSON.stringify({ ...rest, value: Number(value.toPrecision(12)) })).sort();
}

describe('our instruments', () => {
  it(`measure what the SDK's do, over ${RUNS} random runs with a collection now and then`, async () => {
    for (let seed = 1; seed <= RUNS; seed++) {
      const random = new Random(seed);
      const { ours, sdk, scrapeOfSdk } = setUp();
      for (let step = 0; step < STEPS; step++) {
        measure({ ours, sdk }, random);
        if (random.below(20) === 0) await collectFrom(ours.hub);
      }
      const expected = samplesOf(await scrapeOfSdk());
      assert.ok(expected.length > 100);
      assert.deepEqual(samplesOf(await ours.scrape()), expected, `seed ${seed}`);
    }
  });

  it('hand over what was recorded since the last collection', async () => {
    const { instruments, deltas } = createMeasuring(SETTINGS);
    const record = (path: string) => instruments.inner.record(['', path, '200', '', ''], 1);
    for (const path of ['/a', '/a', '/b', '/a']) record(path);
    assert.deepEqual(
      (await deltas()).flatMap(({ series }) => series.map((row) => 'count' in row && row.count)),
      [3, 1],
    );
    assert.deepEqual(await deltas(), []);
    record('/a');
    assert.deepEqual(
      (await deltas()).flatMap(({ series }) => series.map((row) => 'count' in row && row.count)),
      [1],
    );
  });

  it('refuse what is not a number, of which the SDK would say nothing', async () => {
    const { instruments, deltas } = createMeasuring(SETTINGS);
    assert.throws(() => instruments.inner.record(['', '/a', '200', '', ''], Number.NaN), RangeError);
    assert.deepEqual(await deltas(), []);
  });

  it('show a series that a zero was added to', async () => {
    const { instruments, scrape } = createMeasuring(SETTINGS);
    instruments.lostMeasurements.add(['x'], 0);
    const name = 'channel_exporter_lost_measurements_total';
    assert.deepEqual((await scrape()).counts(name), [{ labels: { ...IDENTITY, family: 'x' }, count: 0 }]);
  });

  it('replace the value of a full label alone, and each time say so', async () => {
    const { instruments, scrape, overflows } = createMeasuring(SETTINGS, { route: 2, code: 1 });
    const record = (path: string, code: string) => instruments.inner.record(['c', path, '200', code, ''], 1);
    for (const [path, code] of [
      ['/a', '0'],
      ['/b', '0'],
      ['/c', '0'],
      ['/c', '0'],
      ['/a', '1'],
      ['/a', ''],
    ] as const) {
      record(path, code);
    }
    const series = (await scrape()).counts(INNER).map(({ labels, count }) => [labels.path, labels.code, count]);
    assert.deepEqual(series, [
      ['/a', '0', 1],
      ['/b', '0', 1],
      ['other', '0', 2],
      ['/a', 'other', 1],
      ['/a', '', 1],
    ]);
    assert.deepEqual(
      overflows.map(([, label]) => label),
      ['route', 'route', 'code'],
    );
  });

  it('limit a value once for all families that its measurement is recorded in', async () => {
    const { instruments, scrape, overflows } = createMeasuring(SETTINGS, { route: 1 });
    for (const path of ['/a', '/b', '/c']) {
      instruments.inner.record(['', path, '200', '', ''], 1);
      instruments.flaskCount.add([path, 'GET', '200'], 1);
    }
    const counts = (await scrape()).counts('flask_request_count_total');
    assert.deepEqual(
      counts.map(({ labels, count }) => [labels.endpoint, count]),
      [
        ['/a', 1],
        ['other', 2],
      ],
    );
    assert.deepEqual(overflows, [
      [INNER, 'route'],
      [INNER, 'route'],
    ]);
  });

  it('cut long values and replace what cannot be printed, in every label', async () => {
    const { instruments, scrape } = createMeasuring(SETTINGS);
    const long = '/x'.repeat(MAX_LABEL_CHARACTERS);
    instruments.inner.record(['a\u0000b', long, '200', '\ud800', 'tab\tline\n'], 1);
    instruments.inner.record(['a\u0000b', `${long}!`, '200', '\ud800', 'tab\tline\n'], 1);
    const [series, ...others] = (await scrape()).counts(INNER);
    assert.deepEqual(others, []);
    assert.equal(series?.count, 2);
    const { path, f_code, code, method_code } = series?.labels ?? {};
    assert.deepEqual([f_code, code, method_code], ['a\ufffdb', '\ufffd', 'tab\tline\n']);
    assert.equal(path?.length, MAX_LABEL_CHARACTERS);
    assert.ok(path?.endsWith('...'));
  });

  it('fold what is beyond the limit of series, and count all of it', async () => {
    const { instruments, scrape, overflows } = createMeasuring(SETTINGS);
    const more = 500;
    for (let n = 0; n < SERIES_LIMIT + more; n++) {
      instruments.inner.record([`c${n % 200}`, `/${n}`, n % 2 === 0 ? '200' : '500', '', ''], 1);
    }
    const counts = (await scrape()).counts(INNER);
    assert.equal(counts.length, SERIES_LIMIT + 2);
    assert.deepEqual(
      counts.slice(SERIES_LIMIT).map(({ labels, count }) => [labels.path, labels.f_code, labels.http_status, count]),
      [
        ['other', 'other', '200', more / 2],
        ['other', 'other', '500', more / 2],
      ],
    );
    assert.equal(
      counts.reduce((sum, { count }) => sum + count, 0),
      SERIES_LIMIT + more,
    );
    const withoutCaller = counts.filter(({ labels }) => labels.f_code === 'other').length;
    assert.equal(withoutCaller, SERIES_LIMIT * (6 / 16) + 2);
    assert.deepEqual(
      overflows.map(([, what]) => what),
      [...new Array(withoutCaller - 2).fill('callers'), ...new Array(more).fill('all')],
    );
  });
});
