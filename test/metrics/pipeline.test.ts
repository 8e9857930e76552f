/** The pipeline of one process, from the recorder to its deltas. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { labelLimits, NO_DROPS } from '../../src/config/label-parsers';
import { createInstruments } from '../../src/metrics/instruments';
import { createMeters, createPipeline, type PipelineSettings } from '../../src/metrics/pipeline';
import { createViews, families } from '../../src/views';
import { INSTRUMENTS } from '../../src/views/metric-names';

const SETTINGS: PipelineSettings = {
  syscode: 'B000000001',
  innerMetricsBuckets: [100],
  partnerHttpMetricsBuckets: [100],
  consumerMetricsBuckets: [100],
  flaskMetrics: false,
  env: 'PROD',
  labelValuesLimit: labelLimits({}),
  dropLabels: NO_DROPS,
  seriesLimit: 1,
  resourceAttributes: {},
};
const NEVER = () => false;

/** What a counter has counted, by the value of its last label. */
async function counts(
  { collector }: ReturnType<typeof createPipeline>,
  family: string,
): Promise<[string | undefined, number][]> {
  assert.deepEqual(await collector.collect(), []);
  const delta = collector.take().find((each) => each.family === family);
  const all = (delta?.series ?? []).map(({ values, ...row }): [string | undefined, number] => [
    values.at(-1),
    'add' in row ? row.add : Number.NaN,
  ]);
  return all.filter(([, count]) => count !== 0).sort();
}

describe('the pipeline', () => {
  it('counts the overflow of more families than a family may have series', async () => {
    const pipeline = createPipeline(SETTINGS, NEVER);
    for (const topic of ['a', 'b']) pipeline.recorder.recordConsumer({ topic, code: '0' }, 1);
    for (const path of ['/a', '/b']) {
      pipeline.recorder.recordInner(
        { fCode: '', path, isRoute: true, httpStatus: '200', code: '', methodCode: '', httpMethod: '' },
        1,
      );
    }
    assert.deepEqual(await counts(pipeline, 'channel_exporter_series_overflow_total'), [
      ['B000000001_consumer_metrics', 1],
      ['B000000001_inner_metrics', 1],
    ]);
  });

  it('emits each measurement, and no value that is set while it is created', () => {
    const pipeline = createPipeline({ ...SETTINGS, seriesLimit: 10 }, NEVER);
    let measured = 0;
    pipeline.measured.listen(() => measured++);
    assert.equal(measured, 0);
    pipeline.recorder.recordConsumer({ topic: 'a', code: '0' }, 1);
    pipeline.recorder.recordConsumer({ topic: 'a', code: '0' }, 1);
    assert.equal(measured, 2);
  });

  it('refuses to start with an instrument that has no View', () => {
    const views = createViews(families(SETTINGS, NEVER), 1);
    for (const missing of [INSTRUMENTS.partner, INSTRUMENTS.errors]) {
      const present = views.filter(({ instrumentName }) => instrumentName !== missing);
      const create = () => {
        const { factory } = createMeters(SETTINGS, present, () => undefined);
        createInstruments(factory, SETTINGS, {
          begin: () => undefined,
          labelFull: () => undefined,
          familyFull: () => undefined,
        });
      };
      assert.throws(create, new RegExp(`no View has the instrument ${missing}`));
    }
  });
});
