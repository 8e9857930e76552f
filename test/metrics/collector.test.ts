/** A process may end at any moment of a collection: what was measured is handed over once, by one way or the other. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Deltas } from '../../src/metrics/deltas';
import { createMeters } from '../../src/metrics/pipeline';
import { createViews, families } from '../../src/views';
import { INSTRUMENTS } from '../../src/views/metric-names';
import { Random } from '../support/random';

const VIEWS = createViews(
  families(
    {
      syscode: 'B000000001',
      innerMetricsBuckets: [10, 100],
      partnerHttpMetricsBuckets: [10],
      consumerMetricsBuckets: [10],
      flaskMetrics: false,
    },
    () => false,
  ),
  1_000,
);
const RUNS = 400;
/** More than the journal notes one by one. */
const MANY = 40_000;
/** More than it notes while a collection is under way. */
const TOO_MANY = 262_144 + 100;

/** Three instruments of different kinds, as a measurement would use them. */
function setUp() {
  const meters = createMeters({ syscode: 'B000000001', seriesLimit: 1_000 }, VIEWS, () => undefined);
  const { factory, collector } = meters;
  const durations = factory.histogram({ instrument: INSTRUMENTS.inner, labels: ['path'] });
  const calls = factory.counter({ instrument: INSTRUMENTS.calls, labels: ['url'] });
  const last = factory.gauge({ instrument: INSTRUMENTS.lastCall, labels: ['url'] });
  const expected = new Map<string, number>();
  const count = (name: string, amount: number) => expected.set(name, (expected.get(name) ?? 0) + amount);
  const record = (random: Random) => {
    const path = `/${random.below(4)}`;
    const value = random.below(200);
    durations.record([path], value);
    count(`count ${path}`, 1);
    count(`sum ${path}`, value);
    const amount = random.below(3);
    calls.add([path], amount);
    count(`calls ${path}`, amount);
    last.record([path], value);
    expected.set(`last ${path}`, value);
  };
  return { ...meters, durations, record, expected, collector };
}

/** Adds deltas up, as a hub would. */
function addUp(taken: readonly Deltas[]): Map<string, number> {
  const sums = new Map<string, number>();
  const add = (name: string, amount: number) => sums.set(name, (sums.get(name) ?? 0) + amount);
  for (const { series } of taken.flat()) {
    for (const row of series) {
      const path = row.values.at(-1);
      if ('add' in row) add(`calls ${path}`, row.add);
      else if ('last' in row) sums.set(`last ${path}`, row.last);
      else {
        add(`count ${path}`, row.count);
        add(`sum ${path}`, row.sum);
        assert.equal(
          row.buckets.reduce((sum, each) => sum + each, 0),
          row.count,
        );
      }
    }
  }
  return sums;
}

function sorted(sums: ReadonlyMap<string, number>): [string, number][] {
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1));
}

describe('a process that ends', () => {
  it(`hands over all that it measured, once, at whatever moment of a collection, in ${RUNS} runs`, async () => {
    for (let seed = 1; seed <= RUNS; seed++) {
      const random = new Random(seed);
      const { collector, record, expected } = setUp();
      const taken: Deltas[] = [];
      for (let collections = random.below(3); collections > 0; collections--) {
        for (let n = random.below(5); n > 0; n--) record(random);
        const collecting = collector.collect();
        for (let step = random.below(20); step > 0; step--) {
          if (random.once(2)) record(random);
          await undefined;
        }
        await collecting;
        if (random.once(3)) record(random);
        taken.push(collector.take().deltas);
      }
      for (let n = random.below(5); n > 0; n--) record(random);
      void collector.collect();
      for (let step = random.below(20); step > 0; step--) {
        if (random.once(2)) record(random);
        await undefined;
      }
      taken.push(collector.takeNow());
      assert.deepEqual(sorted(addUp(taken)), sorted(expected), `seed ${seed}`);
    }
  });

  it('has noted what it measured since long ago, added up', async () => {
    const { collector, record, expected } = setUp();
    const random = new Random(1);
    const taken: Deltas[] = [];
    for (let n = 0; n < MANY; n++) record(random);
    await collector.collect();
    taken.push(collector.take().deltas);
    for (let n = 0; n < MANY; n++) record(random);
    taken.push(collector.takeNow());
    assert.deepEqual(sorted(addUp(taken)), sorted(expected));
  });

  it('counts as lost what it could not note while a collection hung', async () => {
    const { collector, provider, durations } = setUp();
    let end: () => void = () => undefined;
    provider
      .getMeter('shop')
      .createObservableGauge('stock')
      .addCallback(() => new Promise((resolve) => (end = resolve)));
    const collecting = collector.collect();
    await new Promise(setImmediate);
    for (let n = 0; n < TOO_MANY; n++) durations.record(['/'], 1);
    const deltas = collector.takeNow();
    const counted = addUp(deltas.map((each) => [each]));
    assert.equal(counted.get('count /'), 262_144);
    assert.equal(counted.get('calls B000000001_inner_metrics'), 100, 'lost measurements of the family');
    end();
    await collecting;
  });

  it('has lost nothing when a collection that hung has ended', async () => {
    const { collector, provider, durations } = setUp();
    let end: () => void = () => undefined;
    provider
      .getMeter('shop')
      .createObservableGauge('stock')
      .addCallback(() => new Promise((resolve) => (end = resolve)));
    const collecting = collector.collect();
    await new Promise(setImmediate);
    for (let n = 0; n < TOO_MANY; n++) durations.record(['/'], 1);
    end();
    await collecting;
    const first = collector.take().deltas;
    void collector.collect();
    await new Promise(setImmediate);
    end();
    await new Promise(setImmediate);
    const counted = addUp([first, collector.takeNow()]);
    assert.equal(counted.get('count /'), TOO_MANY);
    assert.equal(counted.get('calls B000000001_inner_metrics'), undefined);
  });
});
