/** The text of the scrape, held equal to OpenTelemetry's own serializer. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Attributes, type AttributeValue, type HrTime, ValueType } from '@opentelemetry/api';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import {
  AggregationTemporality,
  DataPointType,
  type Histogram,
  MeterProvider,
  type MetricData,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { Chunks } from '../../../src/exporter/text/chunks';
import { boundaryText, type Format, metricsText, writeMetrics } from '../../../src/exporter/text/exposition';
import { LabelTexts } from '../../../src/exporter/text/label-texts';
import { isOpenMetrics } from '../../../src/exporter/text/openmetrics';
import { PYTHON_FLOATS } from '../../fixtures/exporter/python-floats';
import { Random } from '../../support/random';

const CASES = 1_000;
const TIME: HrTime = [1_700_000_000, 0];

/** The text as the serializer has it: without timestamps, target_info and scope labels. */
function reference(metrics: readonly MetricData[], resource: ResourceMetrics['resource']): string {
  const serializer = new PrometheusSerializer(undefined, false, undefined, true, true);
  return serializer.serialize({ resource, scopeMetrics: [{ scope: { name: 'test' }, metrics: [...metrics] }] });
}

/** What the SDK says of this process; neither text shows it. */
async function anyResource(): Promise<ResourceMetrics['resource']> {
  const reader = new PrometheusExporter({ preventServerStart: true });
  new MeterProvider({ readers: [reader] });
  return (await reader.collect()).resourceMetrics.resource;
}

/** `le` as a number, the only place where the two may differ. */
function withPlainBoundaries(text: string): string {
  return text.replace(/([{,]le=")([^"]+)("\} \d+)$/gm, (_, before: string, le: string, after: string) => {
    return `${before}${le === '+Inf' ? le : Number(le)}${after}`;
  });
}

const TEXT_PARTS = ['a', 'Z', '"', '\\', '\n', '\\n', '{', '}', ',', '=', ' ', '\t', '\r', 'é', '订单', '😀', '�', '#'];

function randomText(random: Random): string {
  return Array.from({ length: random.below(8) }, () => TEXT_PARTS[random.below(TEXT_PARTS.length)]).join('');
}

function randomNumber(random: Random): number {
  const special = [0, 1, 0.1 + 0.2, 1e21, 1e-7, 123456789, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY] as const;
  return random.below(3) === 0 ? random.pick(special) : random.next() * 10 ** random.below(12);
}

function randomAttributes(random: Random, series: number): Attributes {
  const others = Array.from({ length: random.below(5) }, (_, index) => {
    const value =
      random.below(8) === 0
        ? random.pick<AttributeValue | undefined>([true, 7, undefined, ['x', 'y']])
        : randomText(random);
    return [`label${random.pick(['', '.', '-', '__'])}${index}`, value];
  });
  return Object.fromEntries(series === 0 ? others : [['series', `${series}`], ...others]);
}

function randomHistogram(random: Random): Histogram {
  const boundaries = Array.from({ length: random.below(15) }, () => randomNumber(random)).filter(Number.isFinite);
  // one at least: without any it is a summary, which the serializer does not know
  const ascending = [...new Set([5, ...boundaries])].sort((a, b) => a - b);
  const counts = Array.from({ length: ascending.length + 1 }, () => random.below(1000));
  const count = counts.reduce((sum, each) => sum + each, 0);
  const sum = random.below(10) === 0 ? {} : { sum: randomNumber(random) };
  return { buckets: { boundaries: ascending, counts }, count, ...sum };
}

function randomMetric(random: Random, number: number): MetricData {
  const description = `x${randomText(random)}`;
  const descriptor = (name: string) => ({ name, description, unit: '', valueType: ValueType.DOUBLE });
  const size = random.pick([0, 1, 2, 10, 200]);
  const points = <T>(value: () => T) =>
    Array.from({ length: size }, (_, series) => ({
      startTime: TIME,
      endTime: TIME,
      attributes: randomAttributes(random, series),
      value: value(),
    }));
  const aggregationTemporality = AggregationTemporality.CUMULATIVE;
  const numbers = () => points(() => randomNumber(random));
  const kinds: readonly [() => MetricData, ...(() => MetricData)[]] = [
    () => ({
      descriptor: descriptor(`family_${number}`),
      dataPointType: DataPointType.HISTOGRAM,
      aggregationTemporality,
      dataPoints: points(() => randomHistogram(random)),
    }),
    () => ({
      descriptor: descriptor(`family_${number}_total`),
      dataPointType: DataPointType.SUM,
      isMonotonic: true,
      aggregationTemporality,
      dataPoints: numbers(),
    }),
    () => ({
      descriptor: descriptor(`family_${number}`),
      dataPointType: DataPointType.SUM,
      isMonotonic: false,
      aggregationTemporality,
      dataPoints: numbers(),
    }),
    () => ({
      descriptor: descriptor(`family_${number}`),
      dataPointType: DataPointType.GAUGE,
      aggregationTemporality,
      dataPoints: numbers(),
    }),
  ];
  return random.pick(kinds)();
}

describe('the text of the scrape', () => {
  it(`equals that of PrometheusSerializer, except for the form of le, on ${CASES} random collections`, async () => {
    const resource = await anyResource();
    for (let seed = 1; seed <= CASES; seed++) {
      const random = new Random(seed);
      const metrics = Array.from({ length: 1 + random.below(4) }, (_, number) => randomMetric(random, number));
      const ours = metricsText(metrics);
      assert.equal(withPlainBoundaries(ours), withPlainBoundaries(reference(metrics, resource)), `seed ${seed}`);
    }
  });

  it('shows HELP and TYPE of a family without observations, and ends with a newline', () => {
    const empty: MetricData = {
      descriptor: { name: 'nothing_yet', description: 'In milliseconds.', unit: 'ms', valueType: ValueType.DOUBLE },
      dataPointType: DataPointType.HISTOGRAM,
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
      dataPoints: [],
    };
    assert.equal(metricsText([empty]), '# HELP nothing_yet In milliseconds.\n# TYPE nothing_yet histogram\n');
  });

  it('writes an attribute without a value as an empty label', () => {
    const orders: MetricData = {
      descriptor: { name: 'orders_total', description: 'X.', unit: '', valueType: ValueType.INT },
      dataPointType: DataPointType.SUM,
      isMonotonic: true,
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
      dataPoints: [{ startTime: TIME, endTime: TIME, attributes: { shop: undefined }, value: 3 }],
    };
    assert.match(metricsText([orders]), /^orders_total\{shop=""\} 3$/m);
  });

  it("writes the SDK's overflow series under a label name that Prometheus reads", () => {
    const overflow: MetricData = {
      descriptor: { name: 'x_total', description: 'X.', unit: '', valueType: ValueType.INT },
      dataPointType: DataPointType.SUM,
      isMonotonic: true,
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
      dataPoints: [{ startTime: TIME, endTime: TIME, attributes: { 'otel.metric.overflow': true }, value: 3 }],
    };
    assert.match(metricsText([overflow]), /^x_total\{otel_metric_overflow="true"\} 3$/m);
  });

  it('refuses a kind of data that the format has no form for, instead of leaving it out', () => {
    const exponential: MetricData = {
      descriptor: { name: 'x', description: 'X.', unit: '', valueType: ValueType.DOUBLE },
      dataPointType: DataPointType.EXPONENTIAL_HISTOGRAM,
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
      dataPoints: [],
    };
    assert.throws(() => metricsText([exponential]), /x is of a kind/);
  });
});

/** The text as a scrape writes it, which remembers labels of the last one. */
function textWith(labels: LabelTexts, metrics: readonly MetricData[], format: Format = 'text'): string {
  const chunks = new Chunks();
  for (const _series of writeMetrics(metrics, { format }, labels, chunks));
  return Buffer.concat(chunks.takeAll()).toString();
}

describe('the text of labels', () => {
  const counter = (dataPoints: readonly { attributes: Attributes; value: number }[]): MetricData => ({
    descriptor: { name: 'x_total', description: 'X.', unit: '', valueType: ValueType.INT },
    dataPointType: DataPointType.SUM,
    isMonotonic: true,
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
    dataPoints: dataPoints.map((point) => ({ startTime: TIME, endTime: TIME, ...point })),
  });

  it('is remembered by series, and never that of another one', () => {
    const labels = new LabelTexts();
    for (let seed = 1; seed <= 200; seed++) {
      const random = new Random(seed);
      const sets = Array.from({ length: 6 }, (_, index) => randomAttributes(random, index + 1));
      for (let scrape = 0; scrape < 4; scrape++) {
        // series come, go and change places, some with attributes that are equal but not the same
        const shown = sets.filter(() => random.below(3) > 0).map((set) => (random.below(4) === 0 ? { ...set } : set));
        const metrics = [counter(shown.map((attributes) => ({ attributes, value: random.below(100) })))];
        assert.equal(textWith(labels, metrics), metricsText(metrics), `seed ${seed}`);
      }
    }
  });

  it('is made once for as long as the series is shown', () => {
    const labels = new LabelTexts();
    let readings = 0;
    const attributes = {
      get kind() {
        readings++;
        return 'a';
      },
    };
    for (let value = 1; value <= 3; value++) {
      const text = textWith(labels, [counter([{ attributes, value }])], value === 2 ? 'openmetrics' : 'text');
      assert.match(text, new RegExp(`^x_total\\{kind="a"\\} ${value}$`, 'm'));
    }
    assert.equal(readings, 1);
    textWith(labels, [counter([])]);
    textWith(labels, [counter([{ attributes, value: 4 }])]);
    assert.equal(readings, 2);
    labels.keepOnly([]);
    textWith(labels, [counter([{ attributes, value: 5 }])]);
    assert.equal(readings, 3);
  });
});

describe('the text in OpenMetrics', () => {
  const family = (name: string, description = 'X.') => ({ name, description, unit: '', valueType: ValueType.INT });
  const aggregationTemporality = AggregationTemporality.CUMULATIVE;
  const point = <T>(value: T) => ({ startTime: TIME, endTime: TIME, attributes: { k: 'v' }, value });
  const gauge = (name: string): MetricData => ({
    descriptor: family(name),
    dataPointType: DataPointType.GAUGE,
    aggregationTemporality,
    dataPoints: [point(1)],
  });
  const sum = (name: string, isMonotonic = true): MetricData => ({
    descriptor: family(name, 'A "good" \\ one.'),
    dataPointType: DataPointType.SUM,
    isMonotonic,
    aggregationTemporality,
    dataPoints: [point(1)],
  });
  const histogram = (name: string, boundaries = [1]): MetricData => ({
    descriptor: family(name),
    dataPointType: DataPointType.HISTOGRAM,
    aggregationTemporality,
    dataPoints: [point({ buckets: { boundaries, counts: [...boundaries.map(() => 1), 0] }, count: 1, sum: 1 })],
  });

  it('names the family of a counter without its ending, escapes quotation marks of HELP, and ends with EOF', () => {
    const text = metricsText([sum('x_total'), histogram('h'), gauge('g')], 'openmetrics');
    assert.equal(
      text,
      [
        '# HELP x A \\"good\\" \\\\ one.',
        '# TYPE x counter',
        'x_total{k="v"} 1',
        '# HELP h X.',
        '# TYPE h histogram',
        'h_count{k="v"} 1',
        'h_sum{k="v"} 1',
        'h_bucket{k="v",le="1.0"} 1',
        'h_bucket{k="v",le="+Inf"} 1',
        '# HELP g X.',
        '# TYPE g gauge',
        'g{k="v"} 1',
        '# EOF',
        '',
      ].join('\n'),
    );
  });

  it('has the samples of the plain text, on random collections', () => {
    const samples = (text: string) => text.split('\n').filter((line) => !line.startsWith('#'));
    for (let seed = 1; seed <= 200; seed++) {
      const metrics = [randomMetric(new Random(seed), 1)];
      assert.deepEqual(samples(metricsText(metrics, 'openmetrics')), samples(metricsText(metrics)), `seed ${seed}`);
    }
  });

  const CASES: readonly [what: string, metrics: MetricData[], isTold: boolean][] = [
    ['nothing', [], true],
    ['families of all kinds', [sum('a_total'), sum('b', false), gauge('c'), histogram('d'), histogram('e', [])], true],
    ['a counter and a gauge that differ by the ending', [sum('orders_total'), gauge('orders')], false],
    ['a gauge and a counter that differ by the ending', [gauge('orders'), sum('orders_total')], false],
    ['a gauge named as the moment of creation of a counter', [sum('orders_total'), gauge('orders_created')], false],
    ['a gauge named as the moment of creation of a histogram', [gauge('wait_created'), histogram('wait')], false],
    ['a counter without the ending', [sum('orders')], false],
    ['a gauge with the ending of a counter', [gauge('orders_total')], true],
    ['a histogram with a boundary below zero', [histogram('change', [-1, 1])], false],
    ['a histogram with a boundary of zero', [histogram('change', [0, 1])], true],
  ];
  for (const [what, metrics, isTold] of CASES) {
    it(`${isTold ? 'tells' : 'cannot tell'} ${what}`, () => assert.equal(isOpenMetrics(metrics), isTold));
  }
});

describe('a boundary in le', () => {
  it('is written as Python writes the float', () => {
    const ours = PYTHON_FLOATS.map((text) => boundaryText(Number(text)));
    assert.deepEqual(ours, PYTHON_FLOATS);
  });

  it('is +Inf for the last bucket', () => {
    assert.equal(boundaryText(undefined), '+Inf');
    assert.equal(boundaryText(Number.POSITIVE_INFINITY), '+Inf');
  });
});
