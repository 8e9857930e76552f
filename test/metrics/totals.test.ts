/** The hub shows the totals of what it was handed, and every family that it is to show. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { emptyResource } from '@opentelemetry/resources';
import { ServiceTotals } from '../../src/metrics/totals';
import { collectFrom, createMeasuring, SERIES_LIMIT, SETTINGS, scrapeOf } from '../support/measuring';

const INNER = 'B000000001_inner_metrics';
const ONCE = ['', '/once', '200', '', ''];

describe('the hub', () => {
  it('shows every family of the catalogue before anything was observed', async () => {
    const { catalogue, scrape } = createMeasuring(SETTINGS);
    const metrics = await scrape();
    assert.deepEqual(
      [...metrics.types],
      catalogue
        .filter(({ isShown, isDetail }) => isShown === undefined && !isDetail)
        .map(({ name, kind }) => [name, kind]),
    );
    assert.deepEqual(metrics.samples, []);
  });

  it('shows a family on demand from its first observation on, or when it says so', async () => {
    let hasMonitored = false;
    const { catalogue, instruments, scrape } = createMeasuring(SETTINGS, {}, () => hasMonitored);
    const names = catalogue.filter(({ isShown }) => isShown !== undefined).map(({ name }) => name);
    const shown = async () => [...(await scrape()).types.keys()].filter((name) => names.includes(name));
    assert.equal(names.length, 4);
    assert.deepEqual(await shown(), []);
    instruments.callFailures.add(['f'], 1);
    assert.deepEqual(await shown(), ['failure_count_total']);
    hasMonitored = true;
    assert.deepEqual(await shown(), names);
  });

  it('keeps showing a series that has not changed since the last collection', async () => {
    const { instruments, scrape } = createMeasuring(SETTINGS);
    instruments.inner.record(ONCE, 7);
    const first = await scrape();
    assert.equal(first.counts(INNER)[0]?.count, 1);
    assert.equal((await scrape()).text, first.text);
  });

  it('adds what this process and others measured under the same labels to one series', async () => {
    const own = createMeasuring(SETTINGS);
    const other = createMeasuring(SETTINGS);
    for (let round = 1; round <= 3; round++) {
      own.instruments.inner.record(ONCE, 150);
      other.instruments.inner.record(ONCE, 50);
      other.instruments.lastCall.record(['f'], round);
      if (round !== 2) await collectFrom(own.hub);
      assert.deepEqual([...own.hub.addDeltas(await other.deltas())], []);
    }
    const metrics = await own.scrape();
    assert.deepEqual(
      metrics.counts(INNER).map(({ count }) => count),
      [6],
    );
    const buckets = metrics.samples.filter(({ name }) => name === `${INNER}_bucket`).map(({ value }) => value);
    assert.deepEqual(buckets, [3, 6, 6, 6]);
    assert.deepEqual(metrics.counts('request_processing_time'), [{ labels: { env: 'PROD', url: 'f' }, count: 3 }]);
  });

  it('hands the errors of a collection on, and loses nothing of what that collection brought', async () => {
    const { catalogue, instruments, collector } = createMeasuring(SETTINGS);
    let errors: unknown[] = [new Error('one callback failed')];
    const failing = {
      collect: async () => [...(await collector.collect()), ...errors],
      take: () => collector.take(),
      takeNow: () => collector.takeNow(),
    };
    const hub = new ServiceTotals(catalogue, failing, {
      resource: emptyResource(),
      seriesLimit: SERIES_LIMIT,
      rooms: new Map(),
    });
    instruments.consumer.record(['queue', '0'], 7);
    assert.deepEqual((await collectFrom(hub)).errors, errors);
    errors = [];
    assert.equal((await scrapeOf(hub)).counts('B000000001_consumer_metrics')[0]?.count, 1);
  });
});
