/** What the Views make of each instrument. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { createInstruments, type Instruments } from '../../src/core/instruments';
import { DeltaReader } from '../../src/exporter/reader';
import { metricsText } from '../../src/exporter/text';
import { createViews, families, type ViewSettings } from '../../src/views';
import { DEFAULT_BOUNDARIES_MS } from '../../src/views/boundaries';
import { METER_NAME } from '../../src/views/metric-names';
import { type Metrics, parseMetrics } from '../support/metrics';

const SETTINGS: ViewSettings = {
  syscode: 'B000000001',
  innerMetricsBuckets: DEFAULT_BOUNDARIES_MS,
  partnerHttpMetricsBuckets: DEFAULT_BOUNDARIES_MS,
  consumerMetricsBuckets: DEFAULT_BOUNDARIES_MS,
};

/** The scrape after something was recorded on the instruments. */
async function scrapeOf(settings: ViewSettings, work: (instruments: Instruments) => void): Promise<Metrics> {
  const reader = new DeltaReader();
  const provider = new MeterProvider({ readers: [reader], views: createViews(families(settings)) });
  work(createInstruments(provider.getMeter(METER_NAME)));
  const { resourceMetrics, errors } = await reader.collect();
  assert.deepEqual(errors, []);
  return parseMetrics(metricsText(resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics)));
}

/** Buckets of the only series of a family: `le` and what it has counted. */
function bucketsOf(metrics: Metrics, family: string): [le: string | undefined, count: number][] {
  return metrics.samples
    .filter(({ name }) => name === `${family}_bucket`)
    .map(({ labels, value }): [string | undefined, number] => [labels.le, value]);
}

const HISTOGRAMS = [
  { instrument: 'inner', family: 'B000000001_inner_metrics', setting: 'innerMetricsBuckets' },
  { instrument: 'partner', family: 'partner_http_metrics', setting: 'partnerHttpMetricsBuckets' },
  { instrument: 'consumer', family: 'B000000001_consumer_metrics', setting: 'consumerMetricsBuckets' },
] as const;

const COUNTERS = [
  { instrument: 'partnerErrors', family: 'partner_http_errors_total' },
  { instrument: 'lostMeasurements', family: 'channel_exporter_lost_measurements_total' },
  { instrument: 'errors', family: 'channel_exporter_errors_total' },
  { instrument: 'labelOverflow', family: 'channel_exporter_label_overflow_total' },
] as const;

describe('the Views', () => {
  for (const { instrument, family, setting } of HISTOGRAMS) {
    it(`name the instrument ${instrument} ${family}, with the default boundaries`, async () => {
      const metrics = await scrapeOf(SETTINGS, (instruments) => instruments[instrument].record(1));
      assert.deepEqual([...metrics.types], [[family, 'histogram']]);
      assert.deepEqual(
        bucketsOf(metrics, family).map(([le]) => le),
        [...DEFAULT_BOUNDARIES_MS.map((boundary) => `${boundary}.0`), '+Inf'],
      );
      assert.match(metrics.text, new RegExp(`^# HELP ${family} .*milliseconds`));
    });

    it(`give ${family} the boundaries of ${setting}, and no other family`, async () => {
      const metrics = await scrapeOf({ ...SETTINGS, [setting]: [0.5, 20] }, (instruments) => {
        for (const each of HISTOGRAMS) instruments[each.instrument].record(1);
      });
      for (const each of HISTOGRAMS) {
        const expected = each.family === family ? 3 : DEFAULT_BOUNDARIES_MS.length + 1;
        assert.equal(bucketsOf(metrics, each.family).length, expected, each.family);
      }
      assert.deepEqual(bucketsOf(metrics, family), [
        ['0.5', 0],
        ['20.0', 1],
        ['+Inf', 1],
      ]);
    });
  }

  for (const { instrument, family } of COUNTERS) {
    it(`name the counter ${instrument} ${family}`, async () => {
      const metrics = await scrapeOf(SETTINGS, (instruments) => instruments[instrument].add(3));
      assert.deepEqual([...metrics.types], [[family, 'counter']]);
      assert.deepEqual(metrics.counts(family), [{ labels: {}, count: 3 }]);
    });
  }

  it('list every family once', () => {
    const names = families(SETTINGS).map(({ name }) => name);
    assert.deepEqual(names.sort(), [...HISTOGRAMS, ...COUNTERS].map(({ family }) => family).sort());
  });

  for (const [value, below] of [
    [99.999, 0],
    [100, 0],
    [100.001, 1],
    [0, 0],
    [8000, 12],
    [8000.5, 13],
  ] as const) {
    it(`count ${value} ms into every bucket whose boundary it does not exceed`, async () => {
      const metrics = await scrapeOf(SETTINGS, (instruments) => instruments.inner.record(value));
      const counts = bucketsOf(metrics, 'B000000001_inner_metrics').map(([, count]) => count);
      assert.deepEqual(
        counts,
        counts.map((_, index) => (index < below ? 0 : 1)),
      );
    });
  }
});
