/** What a hub leaves to the next one: the counters go on, and no series jumps. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Deltas } from '../../src/metrics/deltas';
import { collectFrom, createMeasuring, SETTINGS } from '../support/measuring';

const INNER = 'B000000001_inner_metrics';
const ONCE = ['', '/once', '200', '', ''];
const MARK = 7;

/** As it travels. */
const sent = (left: Deltas) => JSON.parse(JSON.stringify(left)) as Deltas;

describe('totals that a hub leaves', () => {
  it('are those of all processes, with what it has not collected yet, and the next hub goes on with them', async () => {
    const [first, member, next] = [SETTINGS, SETTINGS, SETTINGS].map((each) => createMeasuring(each)) as [
      ReturnType<typeof createMeasuring>,
      ReturnType<typeof createMeasuring>,
      ReturnType<typeof createMeasuring>,
    ];
    first.instruments.inner.record(ONCE, 150);
    member.instruments.inner.record(ONCE, 50);
    first.hub.addDeltas(await member.deltas());
    const seen = await first.scrape();
    first.instruments.inner.record(ONCE, 300);
    const left = first.hub.leave();
    const count = (metrics: typeof seen) => metrics.counts(INNER)[0]?.count;

    next.instruments.inner.record(ONCE, 50);
    assert.ok(next.hub.isFresh);
    next.hub.inherit(sent(left), MARK);
    member.instruments.inner.record(ONCE, 600);
    next.hub.addDeltas(await member.deltas());
    const metrics = await next.scrape();
    assert.equal(count(seen), 2);
    assert.equal(count(metrics), 5);
    const of = (suffix: string) => metrics.samples.filter(({ name }) => name === INNER + suffix);
    assert.deepEqual(
      of('_bucket').map(({ value }) => value),
      [2, 3, 4, 5],
    );
    assert.equal(of('_sum')[0]?.value, 150 + 50 + 300 + 50 + 600);
    assert.equal(next.hub.mark(), MARK + 1);
  });

  it('are the last: who collects after that, or is about to, would see more than the next hub begins with', async () => {
    const { hub, instruments } = createMeasuring(SETTINGS);
    instruments.inner.record(ONCE, 1);
    const underWay = collectFrom(hub);
    assert.equal(hub.leave().find(({ family }) => family === INNER)?.series.length, 1);
    await assert.rejects(underWay, /has ended/);
    await assert.rejects(collectFrom(hub), /has ended/);
  });

  it('are not for a hub that has been scraped', async () => {
    const { hub, scrape } = createMeasuring(SETTINGS);
    assert.ok(hub.isFresh);
    await scrape();
    assert.equal(hub.isFresh, false);
  });

  it('are no gauges, and nothing of other boundaries', async () => {
    const first = createMeasuring(SETTINGS);
    const next = createMeasuring({ ...SETTINGS, innerMetricsBuckets: [1] });
    first.instruments.inner.record(ONCE, 1);
    first.instruments.lastCall.record(['f'], 1);
    next.hub.inherit(sent(first.hub.leave()), MARK);
    const metrics = await next.scrape();
    assert.deepEqual(
      [INNER, 'request_processing_time'].map((name) => metrics.counts(name)),
      [[], []],
    );
  });

  it('have their beginnings, and arrivals where they are new', async () => {
    const { hub, instruments, scrape } = createMeasuring(SETTINGS);
    const beforeMs = Date.now();
    instruments.inner.record(ONCE, 1);
    await scrape();
    hub.mark();
    instruments.inner.record(['', '/late', '200', '', ''], 1);
    const rows = hub.leave().find(({ family }) => family === INNER)?.series ?? [];
    assert.deepEqual(
      rows.map(({ arrival }) => arrival),
      [0, 1],
    );
    assert.ok(rows.every(({ begin = 0 }) => begin >= beforeMs && begin <= Date.now()));
  });
});
