/** The reader of the page, against the writer of the scrape and against what nobody should write. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DataPointType, InstrumentType, type MetricData } from '@opentelemetry/sdk-metrics';
import { metricsText } from '../../src/exporter/text/exposition';
import { samplesOf } from '../../src/page/scrape-text';
import { snapshotOf } from '../../src/page/snapshot';

const all = (text: string) => [...samplesOf(text, () => true)];
const read = (text: string) => all(text).map(({ name, labels, value }) => [name, { ...labels }, value]);

const HOSTILE = ['<img src=x onerror=alert(1)>', 'a"b\\c\nd', '\\', '\\n', '{le="1"} 5', '"} 9', '__proto__', '中文'];

describe('the text of a scrape', () => {
  it('is read as the exposition writes it, whatever stands in a label', () => {
    const dataPoints = HOSTILE.map((path, index) => ({
      startTime: [0, 0] as [number, number],
      endTime: [0, 0] as [number, number],
      attributes: { path, constructor: 'x' },
      value: index,
    }));
    const descriptor = { name: 'x', description: 'X', unit: '', type: InstrumentType.GAUGE, valueType: 1, advice: {} };
    const metric = { descriptor, dataPointType: DataPointType.GAUGE, dataPoints, aggregationTemporality: 1 };
    const text = metricsText([metric as unknown as MetricData]);
    assert.deepEqual(
      read(text),
      HOSTILE.map((path, index) => ['x', { path, constructor: 'x' }, index]),
    );
  });

  it('gives special values, and samples without labels', () => {
    assert.deepEqual(read('a NaN\nb{} +Inf\nc{x="1",} -Inf\nd 1e3 1700000000\n'), [
      ['a', {}, Number.NaN],
      ['b', {}, Number.POSITIVE_INFINITY],
      ['c', { x: '1' }, Number.NEGATIVE_INFINITY],
      ['d', {}, 1000],
    ]);
  });

  for (const line of ['', '{a="1"} 2', 'x{a="1" 2', 'x{a=1} 2', 'x{a="1"}', 'x y', '# HELP x y', 'x{a="1"b="2"} 3 {']) {
    it(`leaves out ${JSON.stringify(line)} and reads on`, () => {
      const rest = read(`${line}\nok 1`).filter(([name]) => name !== 'x' || line.endsWith('{'));
      assert.deepEqual(rest.at(-1), ['ok', {}, 1]);
      if (!line.endsWith('{')) assert.equal(rest.length, 1);
    });
  }

  it('takes lines of other families not apart, and a label of a common name for itself', () => {
    assert.deepEqual([...samplesOf('a{x="1"} 1\nb 2\n', (name) => name === 'b')].length, 1);
    const [sample] = all('x{__proto__="y",toString="z"} 1');
    assert.equal(sample?.labels.toString, 'z');
    assert.equal(Object.keys(sample?.labels ?? {}).length, 2);
  });

  it('reads 50,000 quotation marks in a time proportional to them', () => {
    const text = `x{a="${'\\"'.repeat(50_000)}" 1\n`.repeat(5);
    const start = process.cpuUsage();
    assert.equal(all(text).length, 0);
    const { user, system } = process.cpuUsage(start);
    assert.ok(user + system < 1_000_000, `${user + system} µs`);
  });

  it('of nothing is a snapshot of nothing', () => {
    const { families, syscode } = snapshotOf('', 0);
    assert.equal(families.inner.rows.size, 0);
    assert.equal(syscode, '');
  });
});
