/** A process may end at any moment of a collection: what was measured is handed over once, by one way or the other. */
import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import type { Deltas } from '../../src/metrics/deltas';
import { createMeters } from '../../src/metrics/pipeline';
import { TimeSlice } from '../../src/runtime/time-slice';
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
/** Of one family, as many as it may have here. */
const MANY_SERIES = 1_000;
/** More than the journal notes one by one. */
const MANY = 40_000;
/** More than it notes while a collection is under way. */
const TOO_MANY = 262_144 + 100;

/** Turns of the microtask queue within which a collection of the application's meters has ended. */
const MOST_STEPS = 40;

/** Instruments of the application, in two meters, one of which has a callback that keeps its collection waiting. */
function setUpApplication(seriesLimit = 1_000) {
  const { applicationMeters, collector } = createMeters({ syscode: 'B000000001', seriesLimit }, VIEWS, () => undefined);
  const one = applicationMeters.getMeter('one', '1');
  const other = applicationMeters.getMeter('other');
  const wait = async (steps: number) => {
    for (let step = 0; step < steps; step++) await undefined;
  };
  other.createObservableGauge('stock').addCallback(() => wait(7));
  const instruments = [one, other].map((meter, index) => ({
    counter: meter.createCounter(`c${index}`),
    upDown: meter.createUpDownCounter(`u${index}`),
    gauge: meter.createGauge(`g${index}`),
    durations: meter.createHistogram(`h${index}`, { advice: { explicitBucketBoundaries: [10, 100] } }),
    standard: meter.createHistogram(`s${index}`),
  }));
  const expected = new Map<string, number>();
  const count = (name: string, amount: number) => expected.set(name, (expected.get(name) ?? 0) + amount);
  const record = (random: Random) => {
    const index = random.below(2);
    const { counter, upDown, gauge, durations, standard } = instruments[index] as (typeof instruments)[number];
    const kind = random.pick(['a', 'b', 'c']);
    // a new object each time, in any order
    const attributes = () => (random.once(2) ? { kind, size: 1 } : { size: 1, kind });
    const value = random.below(200);
    const labels = `{"kind":"${kind}","size":"1"}`;
    counter.add(value, attributes());
    count(`c${index}_total ${labels}`, value);
    upDown.add(value - 100, attributes());
    count(`u${index} ${labels}`, value - 100);
    gauge.record(value, attributes());
    expected.set(`g${index} ${labels}`, value);
    for (const [name, histogram] of Object.entries({ h: durations, s: standard })) {
      histogram.record(value, attributes());
      count(`${name}${index}_count ${labels}`, 1);
      count(`${name}${index}_sum ${labels}`, value);
    }
  };
  return { collector, record, expected, instruments, wait };
}

/** What a hub would show of the application's families. */
function applicationSums(taken: readonly Deltas[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { family, labels, series, instrument } of taken.flat()) {
    if (instrument === undefined) continue;
    for (const row of series) {
      const pairs = labels.map((label, index) => [label, row.values[index]] as const);
      const text = JSON.stringify(Object.fromEntries(pairs.sort(([a], [b]) => (a < b ? -1 : 1))));
      const add = (name: string, amount: number) =>
        sums.set(`${name} ${text}`, (sums.get(`${name} ${text}`) ?? 0) + amount);
      if ('add' in row) add(family, row.add);
      else if ('last' in row) sums.set(`${family} ${text}`, Number(row.last));
      else {
        add(`${family}_count`, row.count);
        add(`${family}_sum`, row.sum);
        const counted = row.buckets.reduce((sum, each) => sum + each, 0);
        assert.equal(counted, row.count);
      }
    }
  }
  return sums;
}

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

/** A collection that hangs at an observable of the application, and more measurements meanwhile than are noted. */
async function setUpHanging() {
  const { collector, provider, durations } = setUp();
  let end: () => void = () => undefined;
  provider
    .getMeter('shop')
    .createObservableGauge('stock')
    .addCallback(() => new Promise((resolve) => (end = resolve)));
  const collecting = collector.collect();
  await new Promise(setImmediate);
  for (let n = 0; n < TOO_MANY; n++) durations.record(['/'], 1);
  return { collector, collecting, end: () => end() };
}

/** Adds deltas up, as a hub would. */
function addUp(taken: readonly Deltas[]): Map<string, number> {
  const sums = new Map<string, number>();
  const add = (name: string, amount: number) => sums.set(name, (sums.get(name) ?? 0) + amount);
  for (const { series } of taken.flat()) {
    for (const row of series) {
      const path = row.values.at(-1);
      if ('add' in row) add(`calls ${path}`, row.add);
      else if ('last' in row) sums.set(`last ${path}`, Number(row.last));
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
        taken.push(collector.take());
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

  it('hands over all of a family whose labels are put back in many turns, whichever it comes to', async (t) => {
    // each look at the clock ends a slice
    t.after(() => mock.restoreAll());
    mock.method(TimeSlice.prototype, 'isOver', () => true);
    let turnsOfAll = 0;
    for (let turns = 0; turnsOfAll === 0; turns += 7) {
      const { collector, durations } = setUp();
      const expected = new Map<string, number>();
      const record = (path: string, value: number) => {
        durations.record([path], value);
        expected.set(`count ${path}`, (expected.get(`count ${path}`) ?? 0) + 1);
        expected.set(`sum ${path}`, (expected.get(`sum ${path}`) ?? 0) + value);
      };
      for (let n = 0; n < MANY_SERIES; n++) record(`/${n}`, n % 200);
      let isCollected = false;
      let turnsSince = 0;
      void collector.collect().then(() => (isCollected = true));
      for (; turnsSince < turns && !isCollected; turnsSince++) {
        record(`/${turnsSince}`, 1);
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
      if (isCollected) turnsOfAll = turnsSince;
      const taken = collector.takeNow();
      assert.deepEqual(sorted(addUp([taken])), sorted(expected), `after ${turnsSince} turns`);
    }
    assert.ok(turnsOfAll > 40, `${turnsOfAll} turns`);
  });

  it('has noted what it measured since long ago, added up', async () => {
    const { collector, record, expected } = setUp();
    const random = new Random(1);
    const taken: Deltas[] = [];
    for (let n = 0; n < MANY; n++) record(random);
    await collector.collect();
    taken.push(collector.take());
    for (let n = 0; n < MANY; n++) record(random);
    taken.push(collector.takeNow());
    assert.deepEqual(sorted(addUp(taken)), sorted(expected));
  });

  it('counts as lost what it could not note while a collection hung', async () => {
    const { collector, collecting, end } = await setUpHanging();
    const deltas = collector.takeNow();
    const counted = addUp(deltas.map((each) => [each]));
    assert.equal(counted.get('count /'), 262_144);
    assert.equal(counted.get('calls B000000001_inner_metrics'), 100, 'lost measurements of the family');
    end();
    await collecting;
  });

  it('has lost nothing when a collection that hung has ended', async () => {
    const { collector, collecting, end } = await setUpHanging();
    end();
    await collecting;
    const first = collector.take();
    const ending = setInterval(() => end(), 1);
    await collector.collect();
    clearInterval(ending);
    const counted = addUp([first, collector.takeNow()]);
    assert.equal(counted.get('count /'), TOO_MANY);
    assert.equal(counted.get('calls B000000001_inner_metrics'), undefined);
  });
});

describe("an application's instruments in a process that ends", () => {
  it(`hand over all that they recorded, once, at whatever moment of a collection, in ${RUNS} runs`, async () => {
    for (let seed = 1; seed <= RUNS; seed++) {
      const random = new Random(seed);
      const { collector, record, expected, wait } = setUpApplication();
      const taken: Deltas[] = [];
      for (let collections = random.below(4); collections > 0; collections--) {
        for (let n = random.below(5); n > 0; n--) record(random);
        const collecting = collector.collect();
        for (let step = random.below(MOST_STEPS); step > 0; step--) {
          if (random.once(2)) record(random);
          await wait(1);
        }
        await collecting;
        if (random.once(3)) record(random);
        taken.push(collector.take());
      }
      for (let n = random.below(5); n > 0; n--) record(random);
      void collector.collect();
      for (let step = random.below(MOST_STEPS); step > 0; step--) {
        if (random.once(2)) record(random);
        await wait(1);
      }
      taken.push(collector.takeNow());
      assert.deepEqual(sorted(applicationSums(taken)), sorted(expected), `seed ${seed}`);
    }
  });

  it('count nothing twice beyond the limit of series', async () => {
    const limit = 20;
    const { collector, instruments } = setUpApplication(limit);
    const { counter } = instruments[0] as (typeof instruments)[number];
    const taken: Deltas[] = [];
    let added = 0;
    for (let round = 0; round < 5; round++) {
      for (let id = 0; id < 3 * limit; id++) counter.add(1, { id: round * limit + id });
      added += 3 * limit;
      await collector.collect();
      taken.push(collector.take());
    }
    taken.push(collector.takeNow());
    const sum = [...applicationSums(taken).values()].reduce((total, each) => total + each, 0);
    assert.equal(sum, added);
    counter.add(1, { id: 'last' });
    assert.deepEqual([...applicationSums([collector.takeNow()])], [['c0_total {"id":"last"}', 1]]);
  });

  it('keep the sum of fractions, and leave out what is no number', async () => {
    const { collector, instruments } = setUpApplication();
    const { counter, upDown, gauge, durations } = instruments[0] as (typeof instruments)[number];
    const taken: Deltas[] = [];
    for (let round = 0; round < 1_000; round++) {
      counter.add(0.1);
      if (round % 7 !== 0) continue;
      await collector.collect();
      taken.push(collector.take());
    }
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 'many' as unknown as number]) {
      for (const each of [counter, upDown]) each.add(value);
      durations.record(value);
    }
    counter.add(-1);
    durations.record(-1);
    gauge.record(Number.POSITIVE_INFINITY);
    taken.push(collector.takeNow());
    const sums = applicationSums(taken);
    assert.ok(Math.abs((sums.get('c0_total {}') ?? 0) - 100) < 1e-9, String(sums.get('c0_total {}')));
    assert.equal(sums.get('g0 {}'), Number.POSITIVE_INFINITY);
    assert.deepEqual([...sums.keys()].sort(), ['c0_total {}', 'g0 {}']);
    await collector.collect();
    assert.deepEqual(
      applicationSums([JSON.parse(JSON.stringify(collector.take()))]).get('g0 {}'),
      Number.POSITIVE_INFINITY,
    );
  });

  it('are as of their last collection under a View that changes what becomes of their records', async () => {
    const views = [
      { instrumentName: 'renamed', name: 'other' },
      { instrumentName: 'filtered', attributesProcessors: [{ process: () => ({}) }] },
      { instrumentName: 'coarse', aggregation: { type: 4, options: { boundaries: [1] } } },
    ];
    const { applicationMeters, collector } = createMeters(
      { syscode: 'B000000001', seriesLimit: 1_000 },
      [...VIEWS, ...(views as unknown as typeof VIEWS)],
      () => undefined,
    );
    const meter = applicationMeters.getMeter('one');
    const renamed = meter.createCounter('renamed');
    const filtered = meter.createCounter('filtered');
    const coarse = meter.createHistogram('coarse');
    const record = () => {
      renamed.add(1);
      filtered.add(1, { kind: 'a' });
      coarse.record(1);
    };
    record();
    await collector.collect();
    const first = applicationSums([collector.take()]);
    assert.deepEqual(sorted(first), [
      ['coarse_count {}', 1],
      ['coarse_sum {}', 1],
      ['filtered_total {}', 1],
      ['other_total {}', 1],
    ]);
    record();
    assert.deepEqual(collector.takeNow(), []);
  });
});
