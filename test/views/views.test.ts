/** What the Views make of each instrument. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { families, INFO_FAMILIES, STATE_FAMILIES, type ViewSettings } from '../../src/views';
import { DEFAULT_BOUNDARIES_MS } from '../../src/views/boundaries';
import { createMeasuring, type TestInstruments } from '../support/measuring';
import type { Metrics } from '../support/metrics';

const SETTINGS: ViewSettings = {
  syscode: 'B000000001',
  innerMetricsBuckets: DEFAULT_BOUNDARIES_MS,
  partnerHttpMetricsBuckets: DEFAULT_BOUNDARIES_MS,
  consumerMetricsBuckets: DEFAULT_BOUNDARIES_MS,
  flaskMetrics: true,
};

/** The families with series after something was recorded on the instruments. */
async function scrapeOf(settings: ViewSettings, work: (instruments: TestInstruments) => void): Promise<Metrics> {
  const { instruments, scrape } = createMeasuring(settings);
  work(instruments);
  const metrics = await scrape();
  const measured = [...metrics.types].filter(([name]) =>
    metrics.samples.some((sample) => sample.name.startsWith(name)),
  );
  return { ...metrics, types: new Map(measured) };
}

/** Buckets of the only series of a family: `le` and what it has counted. */
function bucketsOf(metrics: Metrics, family: string): [le: string | undefined, count: number][] {
  return metrics.samples
    .filter(({ name }) => name === `${family}_bucket`)
    .map(({ labels, value }): [string | undefined, number] => [labels.le, value]);
}

/** Enough for the labels of every instrument; what is over stays unused. */
const VALUES = ['a', 'b', 'c', 'd', 'e'];

const HISTOGRAMS = [
  { instrument: 'inner', family: 'B000000001_inner_metrics', setting: 'innerMetricsBuckets' },
  { instrument: 'partner', family: 'partner_http_metrics', setting: 'partnerHttpMetricsBuckets' },
  { instrument: 'consumer', family: 'B000000001_consumer_metrics', setting: 'consumerMetricsBuckets' },
] as const;

const SECONDS = [
  { instrument: 'callDuration', family: 'request_time_histogram' },
  { instrument: 'flaskLatency', family: 'flask_request_latency_seconds' },
] as const;
const SECONDS_LE = '0.005 0.01 0.025 0.05 0.075 0.1 0.25 0.5 0.75 1.0 2.5 5.0 7.5 10.0 +Inf'.split(' ');

const GAUGE = { instrument: 'lastCall', family: 'request_processing_time' } as const;

const COUNTERS = [
  { instrument: 'partnerErrors', family: 'partner_http_errors_total' },
  { instrument: 'calls', family: 'request_count_total' },
  { instrument: 'callFailures', family: 'failure_count_total' },
  { instrument: 'flaskCount', family: 'flask_request_count_total' },
  { instrument: 'unrecordedRequests', family: 'channel_exporter_unrecorded_requests_total' },
  { instrument: 'lostMeasurements', family: 'channel_exporter_lost_measurements_total' },
  { instrument: 'errors', family: 'channel_exporter_errors_total' },
  { instrument: 'labelOverflow', family: 'channel_exporter_label_overflow_total' },
  { instrument: 'seriesOverflow', family: 'channel_exporter_series_overflow_total' },
  { instrument: 'unreadBodies', family: 'channel_exporter_unread_bodies_total' },
  { instrument: 'partnerMisses', family: 'channel_exporter_partner_misses_total' },
] as const;

/** Families for who asks for details. */
const DETAILS = [
  { instrument: 'observed', family: 'channel_exporter_observed_total' },
  { instrument: 'unknownHosts', family: 'channel_exporter_unknown_hosts_total' },
] as const;

describe('the Views', () => {
  for (const { instrument, family, setting } of HISTOGRAMS) {
    it(`name the instrument ${instrument} ${family}, with the default boundaries`, async () => {
      const metrics = await scrapeOf(SETTINGS, (instruments) => instruments[instrument].record(VALUES, 1));
      assert.deepEqual([...metrics.types], [[family, 'histogram']]);
      assert.deepEqual(
        bucketsOf(metrics, family).map(([le]) => le),
        [...DEFAULT_BOUNDARIES_MS.map((boundary) => `${boundary}.0`), '+Inf'],
      );
      assert.match(metrics.text, new RegExp(`^# HELP ${family} .*milliseconds`, 'm'));
    });

    it(`give ${family} the boundaries of ${setting}, and no other family`, async () => {
      const metrics = await scrapeOf({ ...SETTINGS, [setting]: [0.5, 20] }, (instruments) => {
        for (const each of HISTOGRAMS) instruments[each.instrument].record(VALUES, 1);
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
      const metrics = await scrapeOf(SETTINGS, (instruments) => instruments[instrument].add(VALUES, 3));
      assert.deepEqual([...metrics.types], [[family, 'counter']]);
      assert.deepEqual(
        metrics.counts(family).map(({ count }) => count),
        [3],
      );
    });
  }

  for (const { instrument, family } of DETAILS) {
    it(`name the counter ${instrument} ${family}, which is a detail`, async () => {
      const { instruments, scrape, hub } = createMeasuring(SETTINGS);
      instruments[instrument].add(VALUES, 3);
      assert.equal((await scrape()).types.has(family), false);
      const details = hub.details().find(({ descriptor }) => descriptor.name === family);
      assert.deepEqual(
        details?.dataPoints.map(({ value }) => value),
        [3],
      );
    });
  }

  for (const { instrument, family } of SECONDS) {
    it(`name the instrument ${instrument} ${family}, with boundaries in seconds`, async () => {
      const metrics = await scrapeOf(SETTINGS, (instruments) => {
        for (const seconds of [0.005, 0.0051, 10, 10.5]) instruments[instrument].record(VALUES, seconds);
      });
      assert.deepEqual([...metrics.types], [[family, 'histogram']]);
      assert.deepEqual(
        bucketsOf(metrics, family),
        SECONDS_LE.map((le) => [le, { '0.005': 1, '10.0': 3, '+Inf': 4 }[le] ?? 2]),
      );
      assert.match(metrics.text, new RegExp(`^# HELP ${family} .*, in seconds\\.$`, 'm'));
    });
  }

  it(`name the gauge ${GAUGE.instrument} ${GAUGE.family}, which keeps the last value`, async () => {
    const metrics = await scrapeOf(SETTINGS, (instruments) => {
      for (const seconds of [3, 0.25]) instruments[GAUGE.instrument].record(VALUES, seconds);
    });
    assert.deepEqual([...metrics.types], [[GAUGE.family, 'gauge']]);
    assert.deepEqual(metrics.counts(GAUGE.family), [{ labels: { env: 'PROD', url: 'a' }, count: 0.25 }]);
    assert.match(metrics.text, new RegExp(`^# HELP ${GAUGE.family} .*, in seconds\\.$`, 'm'));
  });

  it('list every family once', () => {
    const names = families(SETTINGS, () => false).map(({ name }) => name);
    const measured = [...HISTOGRAMS, ...SECONDS, GAUGE, ...COUNTERS, ...DETAILS].map(({ family }) => family);
    const known: string[] = [...measured, ...Object.values(STATE_FAMILIES), ...Object.values(INFO_FAMILIES)];
    assert.deepEqual(names.sort(), known.sort());
  });

  it('leave the Flask-style families out unless they are wanted', () => {
    const names = families({ ...SETTINGS, flaskMetrics: false }, () => false).map(({ name }) => name);
    assert.ok(!names.some((name) => name.startsWith('flask_')), String(names));
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
      const metrics = await scrapeOf(SETTINGS, (instruments) => instruments.inner.record(VALUES, value));
      const counts = bucketsOf(metrics, 'B000000001_inner_metrics').map(([, count]) => count);
      assert.deepEqual(
        counts,
        counts.map((_, index) => (index < below ? 0 : 1)),
      );
    });
  }
});
