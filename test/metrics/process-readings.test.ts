/** What a hub takes of its members' readings, whoever sends them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Deltas, FamilyDelta } from '../../src/metrics/deltas';
import { MAX_SERIES, ProcessReadings } from '../../src/metrics/process-readings';
import { hrTimeNow } from '../../src/runtime/hr-time';

const CPU: FamilyDelta = { family: 'process_cpu_seconds_total', labels: [], series: [{ values: [], add: 2 }] };
const spaces = (names: readonly string[]): FamilyDelta => ({
  family: 'nodejs_heap_space_size_used_bytes',
  labels: ['space'],
  series: names.map((name) => ({ values: [name], last: 1 })),
});

function shown(readings: ProcessReadings) {
  return readings
    .produce(hrTimeNow())
    .map(({ descriptor, dataPoints }) => [
      descriptor.name,
      dataPoints.map(({ attributes, value }) => [attributes, value]),
    ]);
}

function shownOf(...deltas: Deltas) {
  const readings = new ProcessReadings();
  readings.received('m', 7, deltas);
  return shown(readings);
}

describe('readings of processes', () => {
  it('are of a process without a label, until there is another', () => {
    const readings = new ProcessReadings();
    readings.readOwn([CPU]);
    assert.deepEqual(shown(readings), [[CPU.family, [[{}, 2]]]]);
    readings.received('m', 7, [CPU]);
    const own = [{ process: String(process.pid) }, 2];
    assert.deepEqual(shown(readings), [[CPU.family, [[{ process: '7' }, 2], own]]]);
    readings.left('m');
    assert.deepEqual(shown(readings), [[CPU.family, [own]]]);
  });

  it('are the last ones', () => {
    const readings = new ProcessReadings();
    for (const add of [1, 3]) readings.received('m', 7, [{ ...CPU, series: [{ values: [], add }] }]);
    assert.deepEqual(shown(readings), [[CPU.family, [[{ process: '7' }, 3]]]]);
  });

  it('name no process twice, and this one is its own', () => {
    const readings = new ProcessReadings();
    readings.readOwn([CPU]);
    for (const member of ['a', 'b'])
      readings.received(member, process.pid, [{ ...CPU, series: [{ values: [], add: 9 }] }]);
    assert.deepEqual(shown(readings), [[CPU.family, [[{ process: String(process.pid) }, 2]]]]);
  });

  const REFUSED: readonly FamilyDelta[] = [
    { ...CPU, family: 'A123010101_inner_metrics' },
    { ...CPU, family: '__proto__' },
    { ...CPU, labels: ['process'], series: [{ values: ['1'], add: 1 }] },
    { ...CPU, series: [{ values: [], last: 1 }] },
    { ...CPU, boundaries: [1], series: [{ values: [], count: 1, sum: 1, buckets: [1, 0] }] },
    {
      family: 'nodejs_gc_duration_seconds',
      labels: ['kind'],
      boundaries: [1],
      series: [{ values: ['minor'], count: 1, sum: 1, buckets: [1, 0] }],
    },
  ];
  for (const delta of REFUSED) {
    it(`leave out what is not as ours: ${JSON.stringify(delta)}`, () => assert.deepEqual(shownOf(delta), []));
  }

  it('have a bounded number of series, each once, with printable labels of a bounded length', () => {
    const labelsOf = (names: readonly string[]) => {
      const readings = new ProcessReadings();
      readings.received('m', 7, [spaces(names)]);
      const points = readings.produce(hrTimeNow()).flatMap(({ dataPoints }) => [...dataPoints]);
      return points.map(({ attributes }) => String(attributes.space));
    };
    assert.equal(labelsOf(Array.from({ length: 1_000 }, (_, index) => `s${index}`)).length, MAX_SERIES);
    assert.deepEqual(labelsOf(['new', 'new']), ['new']);
    const [label = ''] = labelsOf([`\u0000${'x'.repeat(10_000)}`]);
    assert.ok(label.length <= 255 && label.startsWith('\uFFFD'));
  });

  it('begin when they say so, if that is a time', () => {
    const beginOf = (begin: unknown) => {
      const readings = new ProcessReadings();
      readings.readOwn([{ ...CPU, series: [{ values: [], add: 1, begin: begin as number }] }]);
      return readings.produce(hrTimeNow())[0]?.dataPoints[0]?.startTime[0];
    };
    assert.equal(beginOf(5_000), 5);
    assert.ok(Number(beginOf('soon')) > 5);
  });
});
