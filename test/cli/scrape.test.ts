/** Scrapes as the command reads them: of ours, of others, and of those who mean harm. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ScrapeReader } from '../../src/cli/scrape/families';
import { quantile, quantileText } from '../../src/cli/scrape/quantile';

function read(text: string): ScrapeReader {
  const reader = new ScrapeReader();
  for (const line of text.split('\n')) reader.line(line);
  return reader;
}

const family = (reader: ScrapeReader, name: string) => reader.families.find((each) => each.name === name);
const series = (reader: ScrapeReader, name: string) => [...(family(reader, name)?.series.values() ?? [])];

describe('a scrape', () => {
  it('has one series of a histogram for all of its lines', () => {
    const reader = read(`# HELP h What it is.
# TYPE h histogram
h_bucket{a="x",le="1.0"} 2
h_bucket{a="x",le="+Inf"} 3
h_count{a="x"} 3
h_sum{a="x"} 7.5`);
    assert.deepEqual(
      series(reader, 'h').map((each) => ({ ...each, labels: { ...each.labels } })),
      [
        {
          labels: { a: 'x' },
          value: 3,
          sum: 7.5,
          buckets: [
            [1, 2],
            [Number.POSITIVE_INFINITY, 3],
          ],
        },
      ],
    );
    assert.equal(family(reader, 'h')?.help, 'What it is.');
    assert.equal(reader.malformed, 0);
  });

  it('is read in OpenMetrics too, with times and exemplars', () => {
    const reader = read(`# TYPE c counter
c_total{a="x"} 4 1700000000.5 # {trace_id="}"} 1 1700000000
# EOF`);
    assert.deepEqual(
      series(reader, 'c').map(({ value }) => value),
      [4],
    );
  });

  it('keeps labels as they were before they were escaped, braces and commas included', () => {
    const reader = read('g{a="x\\"y\\\\z\\n}",b="1,2",} -Inf\ng NaN');
    assert.deepEqual({ ...series(reader, 'g')[0]?.labels }, { a: 'x"y\\z\n}', b: '1,2' });
    assert.equal(series(reader, 'g')[0]?.value, Number.NEGATIVE_INFINITY);
    assert.equal(reader.malformed, 0);
  });

  it('does not take a label for a property of every object', () => {
    const reader = read('g{__proto__="x",constructor="y"} 1');
    assert.deepEqual(Object.entries(series(reader, 'g')[0]?.labels ?? {}), [
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
  });

  for (const line of ['<html>', 'a', 'a{', 'a{b="c} 1', 'a{b=c} 1', 'a one', '{a="b"} 1', 'a{b="c"}']) {
    it(`counts ${line} as a line that cannot be read`, () => assert.equal(read(line).malformed, 1));
  }

  for (const [name, line] of [
    ['spaces', `a 1${' '.repeat(64_000)}}`],
    ['quotes that do not end', `a{b="${'\\"'.repeat(32_000)}`],
    ['braces', `a${'{}'.repeat(32_000)}`],
    ['labels', `a{${'b="c",'.repeat(9_000)}`],
    ['letters', 'a'.repeat(64_000)],
  ] as const) {
    it(`is read in linear time with ${name}`, () => {
      const before = process.cpuUsage();
      for (let round = 0; round < 20; round++) read(line);
      const { user } = process.cpuUsage(before);
      assert.ok(user < 2e6, `${user} µs for 20 lines`);
    });
  }

  it('has a bound on its series', () => {
    const reader = new ScrapeReader();
    for (let at = 0; at < 500_010; at++) reader.line(`g{a="${at}"} 1`);
    assert.equal(series(reader, 'g').length, 500_000);
    assert.ok(reader.isCut);
  });
});

describe('a quantile', () => {
  const buckets = (...counts: number[]) => ({
    labels: {},
    value: 0,
    sum: 0,
    buckets: counts.map((count, index): [number, number] => [
      [100, 200, 500, Number.POSITIVE_INFINITY][index] ?? 0,
      count,
    ]),
  });
  for (const { name, share, of, text } of [
    { name: 'is interpolated within its bucket', share: 0.5, of: [buckets(0, 10, 10, 10)], text: '150' },
    { name: 'in the first bucket is said to be so', share: 0.95, of: [buckets(2, 2, 2, 2)], text: '<100' },
    { name: 'above the last boundary is said to be so', share: 0.99, of: [buckets(0, 0, 1, 10)], text: '>500' },
    {
      name: 'is of all series together',
      share: 0.75,
      of: [buckets(10, 10, 10, 10), buckets(0, 0, 10, 10)],
      text: '350',
    },
    { name: 'is empty without observations', share: 0.5, of: [buckets(0, 0, 0, 0)], text: '' },
  ]) {
    it(name, () => assert.equal(quantileText(quantile(share, of)), text));
  }
});
