/** The forms of a scrape: shared, packed, negotiated, and written in turns. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { HrTime } from '@opentelemetry/api';
import {
  AggregationTemporality,
  type CollectionResult,
  type DataPoint,
  DataPointType,
  type Histogram,
  type MetricData,
} from '@opentelemetry/sdk-metrics';
import { Beginnings } from '../../src/exporter/beginnings';
import { type Body, createScrape, type ForeignFamilies, type Form, type Scrape } from '../../src/exporter/scrape';
import { metricsText } from '../../src/exporter/text/exposition';
import { parseMetrics } from '../support/metrics';

const TIME: HrTime = [1_700_000_000, 0];
const BOUNDARIES = [100, 200, 500, 800, 1000, 1500, 2000, 2500, 3000, 4000, 5000, 6000, 8000];
const PLAIN: Form = { format: 'text', isCompressed: false };
const PACKED: Form = { format: 'text', isCompressed: true };
const OPENMETRICS: Form = { format: 'openmetrics', isCompressed: false };
const OPENMETRICS_PACKED: Form = { format: 'openmetrics', isCompressed: true };

function histogram(series: number): MetricData & { dataPoints: DataPoint<Histogram>[] } {
  return {
    descriptor: { name: 'A123010101_inner_metrics', description: 'Duration.', unit: '', valueType: 0 },
    dataPointType: DataPointType.HISTOGRAM,
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
    dataPoints: Array.from({ length: series }, (_, index) => ({
      startTime: TIME,
      endTime: TIME,
      attributes: { appid: 'A123', path: `/api/v1/things/${index}/é`, code: `${index % 7}` },
      value: { buckets: { boundaries: BOUNDARIES, counts: BOUNDARIES.map(() => index).concat(0) }, count: index * 13 },
    })),
  };
}

// a scrape does not keep the process, so something else must
let alive: NodeJS.Timeout;
before(() => {
  alive = setInterval(() => undefined, 1_000);
});
after(() => clearInterval(alive));

/** A scrape of these families that counts its collections. */
function scrapeOf(metrics: readonly MetricData[], foreign?: ForeignFamilies) {
  const counted = { collections: 0 };
  const collect = async () => {
    counted.collections++;
    return { resourceMetrics: { scopeMetrics: [{ metrics }] }, errors: [] } as unknown as CollectionResult;
  };
  return { scrape: createScrape({ collect, mark: () => 1 }, { foreign }), counted };
}

function textOf({ headers, chunks }: Body): string {
  const bytes = Buffer.concat(chunks);
  return (headers['Content-Encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString();
}

describe('a scrape', () => {
  const SIZES = [0, 1, 100, 3_000];
  const FORMS: readonly [form: Form, type: RegExp][] = [
    [PLAIN, /^text\/plain; version=0\.0\.4; charset=utf-8$/],
    [PACKED, /^text\/plain; version=0\.0\.4; charset=utf-8$/],
    [OPENMETRICS, /^application\/openmetrics-text; version=1\.0\.0; charset=utf-8$/],
    [OPENMETRICS_PACKED, /^application\/openmetrics-text; version=1\.0\.0; charset=utf-8$/],
  ];
  for (const [form, type] of FORMS) {
    it(`is the text of its families in ${form.format}, ${form.isCompressed ? 'packed' : 'bare'}`, async () => {
      for (const size of SIZES) {
        const metrics = [histogram(size)];
        const body = await scrapeOf(metrics).scrape(form);
        assert.match(body.headers['Content-Type'] ?? '', type);
        assert.equal(body.headers['Content-Encoding'], form.isCompressed ? 'gzip' : undefined);
        assert.equal(textOf(body), metricsText(metrics, form.format));
      }
    });
  }

  it('is collected once for simultaneous ones, and each form is made once', async () => {
    const metrics = [histogram(2_000)];
    const { scrape, counted } = scrapeOf(metrics);
    const forms = [PACKED, PLAIN, OPENMETRICS_PACKED, PACKED, OPENMETRICS, PLAIN, OPENMETRICS_PACKED];
    const bodies = await Promise.all(forms.map((form) => scrape(form)));
    assert.equal(counted.collections, 1);
    for (const [index, body] of bodies.entries()) {
      const form = forms[index] as Form;
      assert.equal(textOf(body), metricsText(metrics, form.format));
      assert.equal(body, bodies[forms.indexOf(form)], 'the same bytes');
    }
    assert.equal(new Set(bodies).size, 4);
    await scrape(PLAIN);
    assert.equal(counted.collections, 2);
  });

  it('is made anew after one that failed, for each that asks', async () => {
    let isFirst = true;
    const scrape = createScrape({
      mark: () => 1,
      async collect() {
        const fails = isFirst;
        isFirst = false;
        if (fails) throw new Error('out of order');
        return { resourceMetrics: { scopeMetrics: [] }, errors: [] } as unknown as CollectionResult;
      },
    });
    const all = await Promise.allSettled([PLAIN, PACKED, OPENMETRICS, PLAIN].map((form) => scrape(form)));
    assert.deepEqual(
      all.map(({ status }) => status),
      Array(4).fill('rejected'),
    );
    assert.equal(textOf(await scrape(PLAIN)), '');
  });

  it('of a hub that goes on with the totals of another shows a scraper no zero, though it came before they were there', async () => {
    const beginnings = new Beginnings();
    const startTime: HrTime = [Math.floor(Date.now() / 1_000), 0];
    const points = histogram(1).dataPoints.map((point) => ({ ...point, startTime, value: 5, arrival: 2 }));
    const counter = { ...histogram(0), dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints: points };
    const scrape = createScrape(
      {
        mark: () => 4,
        begun: async () => beginnings.inherit({ mark: 3, scrapers: [] }),
        collect: async () =>
          ({ resourceMetrics: { scopeMetrics: [{ metrics: [counter] }] }, errors: [] }) as unknown as CollectionResult,
      },
      { beginnings },
    );
    const scraper = { name: 'Prometheus', connection: { destroyed: false } };
    assert.match(textOf(await scrape({ ...PLAIN, scraper })), / 5\n$/);
  });

  it('with families of another library is in the plain format, as they are', async () => {
    const foreign = { collect: async () => () => '# prom-client: a comment\nvisits 1\n' };
    const { scrape } = scrapeOf([histogram(1)], foreign);
    const [body, asked] = await Promise.all([scrape(PLAIN), scrape(OPENMETRICS)]);
    assert.equal(body, asked, 'made once');
    assert.match(body.headers['Content-Type'] ?? '', /^text\/plain/);
    assert.ok(textOf(body).endsWith('} 0\n# prom-client: a comment\nvisits 1\n'), textOf(body));
  });

  it('is in the plain format where OpenMetrics cannot tell it', async () => {
    const gauge = { ...histogram(0), dataPointType: DataPointType.GAUGE, dataPoints: [] };
    const named = (name: string) => ({ ...gauge.descriptor, name });
    const counter = { ...gauge, dataPointType: DataPointType.SUM, isMonotonic: true };
    const metrics = [
      { ...gauge, descriptor: named('orders') },
      { ...counter, descriptor: named('orders_total') },
    ] as unknown as MetricData[];
    const body = await scrapeOf(metrics).scrape(OPENMETRICS);
    assert.match(body.headers['Content-Type'] ?? '', /^text\/plain/);
    assert.equal(textOf(body), metricsText(metrics));
  });

  it('has consistent series though counts rise while it is written', async () => {
    const family = histogram(5_000);
    const { scrape } = scrapeOf([family]);
    let isOver = false;
    const rise = () => {
      for (const { value } of family.dataPoints) {
        value.count++;
        (value.buckets.counts[3] as number)++;
      }
      if (!isOver) setImmediate(rise);
    };
    rise();
    const body = await scrape(PLAIN);
    isOver = true;
    // it checks every histogram
    const { samples } = parseMetrics(textOf(body));
    assert.equal(samples.length, 5_000 * (BOUNDARIES.length + 2));
  });
});

/** How often others have had the event loop while a scrape was made, and for how long not. */
async function turnsDuring(scrape: Scrape, form: Form): Promise<{ turns: number; longestMs: number }> {
  let turns = 0;
  let longestMs = 0;
  let last = performance.now();
  const tick = () => {
    turns++;
    longestMs = Math.max(longestMs, performance.now() - last);
    last = performance.now();
    immediate = setImmediate(tick);
  };
  let immediate = setImmediate(tick);
  await scrape(form);
  clearImmediate(immediate);
  return { turns, longestMs };
}

describe('a scrape of 20,000 series', () => {
  const SERIES = 20_000;
  /** In slices of 3 ms; one step would take 40 on a fast machine. */
  const LEAST_TURNS = 8;

  for (const form of [PLAIN, PACKED, OPENMETRICS_PACKED]) {
    it(`leaves the event loop to others, in ${form.format}, ${form.isCompressed ? 'packed' : 'bare'}`, async (t) => {
      const { scrape } = scrapeOf([histogram(SERIES)]);
      for (const which of ['first', 'second']) {
        const { turns, longestMs } = await turnsDuring(scrape, form);
        t.diagnostic(`${which}: ${turns} turns, longest pause ${longestMs.toFixed(1)} ms`);
        assert.ok(turns >= LEAST_TURNS, `${turns} turns`);
      }
    });
  }
});
