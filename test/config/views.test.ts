/** Which Views of an application can be used, and what is said of those that cannot. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AggregationType, createDenyListAttributesProcessor, type ViewOptions } from '@opentelemetry/sdk-metrics';
import { resolveConfig } from '../../src/config/resolve';
import { ConfigError } from '../../src/errors';
import { DEFAULT_BOUNDARIES_MS } from '../../src/views/boundaries';

const INNER = 'channel.inner.duration';
const ERRORS = 'channel.exporter.errors';

function resolve(views: unknown, more: object = {}) {
  return resolveConfig({ syscode: 'A123010101', views, ...more }, {}).config.views;
}

function explicit(...boundaries: unknown[]) {
  return { type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM, options: { boundaries } };
}

/** The View, a part of the fault, and a part of the remedy. */
const REFUSED: readonly [view: unknown, wrong: RegExp, remedy: RegExp][] = [
  [5, /View 1 of views: it is no object/, /as an object/],
  [{ instrumentname: INNER }, /a View has no instrumentname/, /Did you mean instrumentName\?/],
  [{ instrumentName: 5 }, /its instrumentName is no text/, /leave it out/],
  [{ instrumentName: INNER, name: 'a-b' }, /its name a-b is none of a family/, /letters, digits and _/],
  [{ instrumentName: INNER, name: '1a' }, /its name 1a is none/, /no digit/],
  [{ instrumentName: INNER, name: '' }, /its name {2}is none/, /letters/],
  [{ instrumentName: ERRORS, name: 'errors' }, /is of a counter and does not end in _total/, /Name it errors_total\./],
  [{ instrumentName: INNER, name: 'partner_http_metrics' }, /partner\.duration a name that channel\.inner/, /twice/],
  [{ instrumentName: INNER, aggregation: explicit(2, 1) }, /boundary 2 is not above the one before/, /ascending/],
  [{ instrumentName: INNER, aggregation: explicit() }, /the list is empty/, /1 to 100/],
  [{ instrumentName: INNER, aggregation: explicit('1') }, /they are no list of numbers/, /1 to 100/],
  [{ instrumentName: INNER, aggregation: explicit(1, Number.POSITIVE_INFINITY) }, /not a finite number/, /\+Inf is/],
  [{ instrumentName: INNER, aggregation: explicit(...Array(101).keys()) }, /more than 100 boundaries/, /1 to 100/],
  [{ instrumentName: INNER, aggregation: { type: 4 } }, /its aggregation has no boundaries/, /Add options/],
  [{ instrumentName: INNER, aggregation: { type: 'drop' } }, /has no type of the SDK/, /DEFAULT, DROP, SUM/],
  [{ instrumentName: INNER, aggregation: { type: AggregationType.SUM } }, /cannot have the aggregation SUM/, /DROP/],
  [{ instrumentName: INNER, aggregation: { type: 'EXPONENTIAL_HISTOGRAM' } }, /EXPONENTIAL_HISTOGRAM/, /DROP/],
  [{ instrumentName: ERRORS, aggregation: explicit(1) }, /the counter channel\.exporter\.errors cannot have/, /DROP/],
  [
    { instrumentName: INNER, attributesProcessors: [createDenyListAttributesProcessor(['path'])] },
    /it has attributesProcessors for channel\.inner\.duration/,
    /labels of this package are fixed/,
  ],
  [{ instrumentName: INNER, aggregationCardinalityLimit: 0 }, /is no number of series/, /1 to 1000000/],
  [{ instrumentName: '*' }, /matches \d+ instruments of this package .* such as channel/, /Add the meterName/],
  [{ instrumentName: '*.duration' }, /matches 4 instruments/, /Add the meterName/],
  [{ instrumentType: 'GAUGE' }, /matches 1 instruments/, /Add the meterName/],
  [{ meterName: 'channel-exporter' }, /matches \d+ instruments/, /Add the meterName/],
  [{ instrumentName: 'a*b*' }, /has a second \*/, /Use one/],
  [
    { instrumentName: 'channel.inner.duratoin' },
    /has no instrument channel\.inner\.duratoin/,
    /Did you mean channel\.i/,
  ],
  [{ instrumentName: 'x', meterName: 'channel-exporter' }, /has no instrument x/, /They are channel\.inner/],
  [{ name: 'x', meterName: 'shop' }, /SDK refuses it/, /Views with a specified name/],
  [{}, /matches \d+/, /Add the meterName/],
];

/** Views that are the application's business. */
const OTHERS: readonly ViewOptions[] = [
  { instrumentName: 'shop.*', aggregation: { type: AggregationType.SUM } },
  { instrumentName: '*', meterName: 'shop', attributesProcessors: [createDenyListAttributesProcessor(['deep'])] },
  { instrumentUnit: 'ms', description: 'In milliseconds.' },
  { instrumentName: INNER, meterName: 'shop', name: 'shop.inner' },
];

describe('a View that cannot be used', () => {
  for (const [view, wrong, remedy] of REFUSED) {
    it(`is refused with what is wrong, and the way out: ${JSON.stringify(view).slice(0, 100)}`, () => {
      assert.throws(
        () => resolve([view]),
        (error) => {
          assert.ok(error instanceof ConfigError);
          assert.deepEqual(
            error.problems.map(({ code }) => code),
            ['CHX_VIEWS_INVALID'],
          );
          const [, before = '', after = ''] =
            /^(.*); got .*; expected Views of .* or DROP\. (.*)$/s.exec(error.message) ?? [];
          assert.match(before, wrong);
          assert.match(after, remedy);
          return true;
        },
      );
    });
  }

  for (const text of ['nothing', '{"instrumentName":"x"}', '5', '[']) {
    it(`is refused where there is no list: ${text}`, () => {
      assert.throws(
        () => resolve(text),
        /CHX_VIEWS_INVALID: views is not a list of Views; got .* Write for instance \[/,
      );
    });
  }
});

describe('a View for an instrument of ours', () => {
  it('is read from JSON too, with the names of aggregations', () => {
    const views = JSON.stringify([
      { instrumentName: INNER, aggregation: { type: 'EXPLICIT_BUCKET_HISTOGRAM', options: { boundaries: [1, 2] } } },
      { instrumentName: ERRORS, aggregation: { type: 'DROP' }, aggregationCardinalityLimit: 7 },
    ]);
    assert.deepEqual(resolve(views)?.ours, [
      { instrument: INNER, boundaries: [1, 2], isDropped: false },
      { instrument: ERRORS, seriesLimit: 7, isDropped: true },
    ]);
  });

  it('may take the name of a family that is dropped or renamed, and keep its own', () => {
    const partner = 'channel.partner.duration';
    const name = 'partner_http_metrics';
    for (const views of [
      [
        { instrumentName: INNER, name },
        { instrumentName: partner, aggregation: { type: 'DROP' } },
      ],
      [
        { instrumentName: INNER, name },
        { instrumentName: partner, name: 'calls_ms' },
      ],
      [{ instrumentName: partner, name }],
    ]) {
      assert.equal(resolve(views)?.ours.length, views.length);
    }
  });

  it('may not take the name of a sample', () => {
    assert.throws(
      () =>
        resolve([
          { instrumentName: ERRORS, name: 'x_total' },
          { instrumentName: INNER, name: 'x_total' },
        ]),
      /CHX_VIEWS_INVALID: .* x_total would stand twice/,
    );
    assert.throws(
      () => resolve([{ instrumentName: 'channel.function.last_duration', name: 'partner_http_metrics_count' }]),
      /CHX_VIEWS_INVALID: .* partner_http_metrics_count would stand twice/,
    );
  });

  it('is over the setting of the same boundaries', () => {
    const innerMetricsBuckets = [...DEFAULT_BOUNDARIES_MS];
    const views = resolve([{ instrumentName: INNER, aggregation: explicit(3) }], { innerMetricsBuckets });
    assert.deepEqual(views?.ours[0]?.boundaries, [3]);
  });
});

describe('a View for an instrument of the application', () => {
  it('is handed on as it is', () => {
    const views = resolve(OTHERS);
    assert.deepEqual(views?.ours, []);
    assert.deepEqual(views?.others, OTHERS);
  });
});
