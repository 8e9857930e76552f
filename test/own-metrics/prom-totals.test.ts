/** Registries of several processes are one, as prom-client would make them one, and a hub takes no more than it bears. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PromDifferences, promSamples } from '../../src/own-metrics/prom-samples';
import { PromTotals } from '../../src/own-metrics/prom-totals';
import { isDeltas } from '../../src/processes/batches';

const ORIGIN = 'prom-client';
const LIMIT = 10;

/** A metric as a registry gives it. */
const metric = (type: string, values: readonly object[], more: object = {}) => [
  { name: 'm', help: 'A \\ and\nmore.', type, aggregator: 'sum', values, ...more },
];

/** What is shown of members that hand over the values of a metric one after the other. */
function shown(members: Readonly<Record<string, readonly (readonly unknown[])[]>>, totals = new PromTotals(LIMIT)) {
  for (const [member, rounds] of Object.entries(members)) {
    const differences = new PromDifferences();
    for (const metrics of rounds) {
      const deltas = JSON.parse(JSON.stringify(differences.take(promSamples(metrics, ORIGIN, false))));
      assert.ok(isDeltas(deltas), JSON.stringify(deltas));
      assert.deepEqual([...totals.add(deltas, member)], []);
    }
  }
  const lines = () =>
    totals
      .aggregated(ORIGIN, [])
      .flatMap(({ text }) => text.split('\n'))
      .filter((line) => line !== '' && !line.startsWith('#'));
  return { totals, lines };
}

describe('registries of several processes', () => {
  it('add up what was counted, also after a reset and after the end of a process', () => {
    const counter = (value: number) => metric('counter', [{ value, labels: { kind: 'a"b\\\n' } }]);
    const { totals, lines } = shown({ a: [counter(3), counter(5), counter(2)], b: [counter(1)] });
    assert.deepEqual(lines(), ['m{kind="a\\"b\\\\\\n"} 8']);
    totals.leave('a');
    assert.deepEqual(lines(), ['m{kind="a\\"b\\\\\\n"} 8']);
    const [family] = totals.aggregated(ORIGIN, []);
    assert.match(family?.text ?? '', /^# HELP m A \\\\ and\\nmore\.\n# TYPE m counter\n/);
  });

  it('are of the same series whatever the order of its labels', () => {
    const { lines } = shown({
      a: [metric('counter', [{ value: 1, labels: { x: 1, y: 2 } }])],
      b: [metric('counter', [{ value: 2, labels: { y: 2, x: 1 } }])],
    });
    assert.deepEqual(lines(), ['m{x="1",y="2"} 3']);
  });

  const AGGREGATORS = { sum: 9, first: 2, min: 2, max: 4, average: 3, omit: undefined };
  for (const [aggregator, expected] of Object.entries(AGGREGATORS)) {
    it(`show a gauge by its aggregator ${aggregator}, of the processes that are there`, () => {
      const gauge = (value: number) => metric('gauge', [{ value, labels: {} }], { aggregator });
      const { totals, lines } = shown({ a: [gauge(7), gauge(2)], b: [gauge(4)], c: [gauge(3)] });
      assert.deepEqual(lines(), expected === undefined ? [] : [`m ${expected}`]);
      for (const member of ['a', 'b', 'c']) totals.leave(member);
      assert.deepEqual(lines(), []);
    });
  }

  it('have no quantiles, which cannot be added up', () => {
    const values = [
      { value: 1, labels: { quantile: 0.5 } },
      { value: 3, labels: {}, metricName: 'm_sum' },
      { value: 2, labels: {}, metricName: 'm_count' },
    ];
    const { lines } = shown({ a: [metric('summary', values)], b: [metric('summary', values)] });
    assert.deepEqual(lines(), ['m_sum 6', 'm_count 4']);
  });

  it('take values that are no numbers for gauges alone', () => {
    const values = [Number.NaN, Number.POSITIVE_INFINITY].map((value, index) => ({ value, labels: { index } }));
    assert.deepEqual(shown({ a: [metric('gauge', values)] }).lines(), ['m{index="0"} NaN', 'm{index="1"} +Inf']);
    assert.deepEqual(shown({ a: [metric('counter', values)] }).lines(), []);
  });

  it('leave out what would spoil a scrape', () => {
    const value = { value: 1, labels: {} };
    for (const wrong of [
      metric('counter', [value], { name: 'a b' }),
      metric('counter', [value], { name: undefined }),
      metric('untyped', [value]),
      metric('counter', [{ value: 1, labels: { 'a b': 1 } }]),
      metric('counter', [{ value: 'x', labels: {} }]),
      metric('counter', [{ ...value, metricName: 'm 1\n' }]),
    ]) {
      assert.deepEqual(shown({ a: [wrong] }).lines(), []);
    }
  });

  it('are bounded in families and samples, and count what they drop', () => {
    const totals = new PromTotals(LIMIT);
    const values = Array.from({ length: 300 }, (_, index) => ({ value: 1, labels: { index } }));
    const deltas = new PromDifferences().take(promSamples(metric('counter', values), ORIGIN, false));
    assert.deepEqual([...totals.add(deltas, 'a')], [['series', 300 - 20 * LIMIT]]);
    const many = new PromTotals(1_000);
    let dropped = 0;
    for (let index = 0; index < 1_005; index++) {
      const one = metric('counter', [{ value: 1, labels: {} }], { name: `m${index}` });
      dropped += many.add(new PromDifferences().take(promSamples(one, ORIGIN, false)), 'a').get('series') ?? 0;
    }
    assert.equal(dropped, 5);
    const other = metric('gauge', [{ value: 1, labels: {} }], { name: 'm1' });
    assert.deepEqual([...many.add(new PromDifferences().take(promSamples(other, ORIGIN, false)), 'a')], [['clash', 1]]);
  });
});
