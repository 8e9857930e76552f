import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { offSwitch } from '../../src/config/off-switch';
import { resolveConfig } from '../../src/config/resolve';
import { ConfigError, type ProblemCode } from '../../src/errors';

type Values = Readonly<Record<string, unknown>>;
const SYSCODE = 'A123010101';

function resolve(options: Values, env: NodeJS.ProcessEnv = {}) {
  return resolveConfig(options, { SYSCODE, ...env });
}

function problemsOf(options: Values, env: NodeJS.ProcessEnv = {}) {
  try {
    resolveConfig(options, env);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems;
  }
  return [];
}

/** Each faulty value: as it is given, the code, how it is shown, what is accepted, and the way out. */
interface Faulty {
  readonly option: string;
  readonly variable: string;
  readonly code: ProblemCode;
  readonly expected: RegExp;
  readonly remedy: RegExp;
  /** Texts, as option and as variable. */
  readonly texts: readonly string[];
  /** Other values, as option, with what the message shows. */
  readonly values: readonly (readonly [value: unknown, shown: string])[];
}

const BUCKET_FAULTS = {
  code: 'CHX_BUCKETS_INVALID',
  expected: /1 to 100 ascending finite numbers of milliseconds, such as 100,200,500/,
  remedy: /Sort the list and drop what is not a number/,
  texts: [
    ' ',
    'a',
    '1,2,',
    '1,,2',
    '1,1',
    '2,1',
    '1;2',
    '1,NaN',
    '1,Infinity',
    '1,0x10',
    '1,1e999',
    '[1,2',
    '{}',
    '[]',
    '[1,null]',
    '[[1]]',
    '"1"',
    '１,２',
    Array.from({ length: 101 }, (_, i) => i).join(','),
  ],
  values: [
    [[], '[]'],
    [[1, Number.NaN], '[1,"NaN"]'],
    [[1, Number.POSITIVE_INFINITY], '[1,"Infinity"]'],
    [[2, 1], '[2,1]'],
    [[1, null], '[1,null]'],
    [100, '100'],
    [{ 0: 1 }, '{"0":1}'],
    [null, 'null'],
  ],
} as const satisfies Omit<Faulty, 'option' | 'variable'>;

const FAULTY: readonly Faulty[] = [
  {
    option: 'syscode',
    variable: 'SYSCODE',
    code: 'CHX_SYSCODE_INVALID',
    expected: /one ASCII letter and nine ASCII digits, such as A123010101/,
    remedy: /Set it to the code under which this service is registered|Remove the white space around it/,
    texts: [
      'A12301010',
      'A1230101011',
      'AA23010101',
      '1123010101',
      'A12301010B',
      'Ａ123010101',
      'É123010101',
      'А123010101',
      'A１２３０１０１０１',
      'A١٢٣٠١٠١٠١',
      'A१२३०१०१०१',
      'A12301010①',
      'A123010101\n',
      '\nA123010101',
      'A123010101\r\n',
      ' A123010101',
      'A123010101 ',
      'A123 10101',
      'A123010101\0',
      'A123010101\u2028',
      '\ufeffA123010101',
      'A1230101.1',
      'A-23010101',
      'ſ123010101',
      '\u212a123010101',
      ' ',
    ],
    values: [
      [123010101, '123010101'],
      [null, 'null'],
      [['A123010101'], '["A123010101"]'],
    ],
  },
  {
    option: 'port',
    variable: 'CHANNEL_EXPORTER_PORT',
    code: 'CHX_PORT_INVALID',
    expected: /0 to 65535/,
    remedy: /unset it to use 9166/,
    texts: [
      '91 66',
      '-1',
      '65536',
      '9166.5',
      '1e3',
      '0x50',
      '９１６６',
      ' 9166',
      '9166\n',
      'http',
      ':9166',
      '99999999999999999999',
      '+80',
    ],
    values: [
      [-1, '-1'],
      [65536, '65536'],
      [80.5, '80.5'],
      [Number.NaN, 'NaN'],
      [true, 'true'],
      [null, 'null'],
      [() => 1, 'a function'],
      [80n, '80'],
    ],
  },
  {
    option: 'host',
    variable: 'CHANNEL_EXPORTER_HOST',
    code: 'CHX_HOST_INVALID',
    expected: /an IP address or a host name, without scheme, port or brackets/,
    remedy: /127\.0\.0\.1, or unset it to listen on all interfaces/,
    texts: ['http://127.0.0.1', '127.0.0.1:9166', '[::1]', 'a b', 'localhost/', '本机', ' ', '127.0.0.1\n'],
    values: [
      [0, '0'],
      [null, 'null'],
      [{}, '{}'],
    ],
  },
  {
    option: 'partners',
    variable: 'CHANNEL_EXPORTER_PARTNERS',
    code: 'CHX_PARTNERS_INVALID',
    expected: /the path of a JSON or YAML file, or as an option an object with "hosts"/,
    remedy: /Give the path, or leave it out/,
    texts: [' ', '\t'],
    values: [
      [5, '5'],
      [[], '[]'],
      [null, 'null'],
      [true, 'true'],
    ],
  },
  {
    option: 'partnersPreset',
    variable: 'CHANNEL_EXPORTER_PARTNERS_PRESET',
    code: 'CHX_BOOLEAN_INVALID',
    expected: /on, off, 1, 0, true, false, yes or no/,
    remedy: /Use one of these words, or unset it/,
    texts: ['2', 'maybe', 'ja', '１', 'truee', ' '],
    values: [
      [2, '2'],
      [null, 'null'],
      [[], '[]'],
      // neither can be made into a text without throwing
      [Object.create(null), '{}'],
      [Symbol('on'), 'symbol'],
    ],
  },
  { option: 'innerMetricsBuckets', variable: 'CHANNEL_EXPORTER_INNER_METRICS_BUCKETS', ...BUCKET_FAULTS },
  { option: 'partnerHttpMetricsBuckets', variable: 'CHANNEL_EXPORTER_PARTNER_HTTP_METRICS_BUCKETS', ...BUCKET_FAULTS },
  { option: 'consumerMetricsBuckets', variable: 'CHANNEL_EXPORTER_CONSUMER_METRICS_BUCKETS', ...BUCKET_FAULTS },
  {
    option: 'ignorePaths',
    variable: 'CHANNEL_EXPORTER_IGNORE_PATHS',
    code: 'CHX_IGNORE_PATHS_INVALID',
    expected: /paths that begin with "\/", separated by commas/,
    remedy: /\/healthcheck,\/metrics; a path that holds a comma can be written in a JSON array/,
    texts: ['healthcheck', '/a,b', '/a,', '["/a"', '[1]', '["a"]', ' '],
    values: [
      [['a'], '["a"]'],
      [[1], '[1]'],
      [/a/, '{}'],
      [null, 'null'],
    ],
  },
  {
    option: 'bodyLimit',
    variable: 'CHANNEL_EXPORTER_BODY_LIMIT',
    code: 'CHX_BODY_LIMIT_INVALID',
    expected: /a whole number, 0 to 16777216/,
    remedy: /Write it without unit, or unset it to use 65536/,
    texts: ['64k', '64 KiB', '-1', '1.5', '16777217', '1e3', '６４', ' '],
    values: [
      [-1, '-1'],
      [0.5, '0.5'],
      [Number.POSITIVE_INFINITY, 'Infinity'],
      [null, 'null'],
    ],
  },
  {
    option: 'seriesLimit',
    variable: 'CHANNEL_EXPORTER_SERIES_LIMIT',
    code: 'CHX_SERIES_LIMIT_INVALID',
    expected: /a whole number, 1 to 1000000/,
    remedy: /Give for instance 20000, or unset it to use 10000/,
    texts: ['0', '-1', '1.5', '1000001', '1e3', 'many', ' '],
    values: [
      [0, '0'],
      [0.5, '0.5'],
      [Number.POSITIVE_INFINITY, 'Infinity'],
      [null, 'null'],
    ],
  },
  ...(['methodCodeFrom', 'codeFrom'] as const).map((option) => ({
    option,
    variable: option === 'codeFrom' ? 'CHANNEL_EXPORTER_CODE_FROM' : 'CHANNEL_EXPORTER_METHOD_CODE_FROM',
    code: 'CHX_CODE_FROM_INVALID' as const,
    expected: /1 to 5 names, or paths of at most 5 parts that begin and end with a key: letters, digits/,
    remedy: /For instance operationName,method or errors\[0\]\.extensions\.code,error\.code,code/,
    texts: [
      ' ',
      ',',
      'a,,b',
      '_',
      'a b c d e f',
      'a.b.c.d.e.f',
      'a..b',
      'a.',
      '..a',
      'a[0]',
      'a[1].b',
      'a[].b',
      '[',
      'a.[0].b',
      '$.code',
      'código',
      '__proto__.\u0000',
      `a${'b'.repeat(200)}`,
      '["[0].code"]',
      `${'a.'.repeat(100_000)}a`,
    ],
    values: [
      [[], '[]'],
      [[5], '[5]'],
      [['a', null], '["a",null]'],
      [{ a: 1 }, '{"a":1}'],
      [null, 'null'],
    ] as [unknown, string][],
  })),
  {
    option: 'codeDepth',
    variable: 'CHANNEL_EXPORTER_CODE_DEPTH',
    code: 'CHX_CODE_DEPTH_INVALID',
    expected: /1 to 1000 or all, for every path or as path=depth pairs/,
    remedy: /For instance 1, or \/articles\/\*=1/,
    texts: ['0', '-1', '1.5', '1001', 'deep', '1,2', 'articles=1', '/a=', '=1', '/a=1,', ' '],
    values: [
      [0, '0'],
      [{ '/a': 'x' }, '{"/a":"x"}'],
      [[1], '[1]'],
      [null, 'null'],
    ],
  },
  {
    option: 'dropLabels',
    variable: 'CHANNEL_EXPORTER_DROP_LABELS',
    code: 'CHX_DROP_LABELS_INVALID',
    expected: /labels of inner \(f_code, path, http_status, code, method_code\), partner \(/,
    remedy: /For instance f_code, or inner=|Did you mean \w+\? Labels are written as on the scrape/,
    texts: ['fcode', 'iner=f_code', 'inner=', 'inner=methodcode', 'partner=topic', 'f_code;', 'all', 'le', ' '],
    values: [
      [5, '5'],
      [{}, '{}'],
      [{ iner: ['f_code'] }, '{"iner":["f_code"]}'],
      [{ inner: [5] }, '{"inner":[5]}'],
      [null, 'null'],
    ],
  },
  {
    option: 'labelValuesLimit',
    variable: 'CHANNEL_EXPORTER_LABEL_VALUES_LIMIT',
    code: 'CHX_LABEL_VALUES_LIMIT_INVALID',
    expected: /1 to 1000000, for every label or as pairs over /,
    remedy: /For instance 500, or route=2000,code=300/,
    texts: [
      '0',
      '-1',
      '1000001',
      'many',
      'path',
      'path=',
      'path=0',
      'paths=5',
      'path=5,',
      'path=5;code=5',
      'path=5 code=5',
      'path=1.5',
      ' ',
    ],
    values: [
      [0, '0'],
      [{}, '{}'],
      [{ path: 0 }, '{"path":0}'],
      [{ nothing: 5 }, '{"nothing":5}'],
      [[5], '[5]'],
      [null, 'null'],
    ],
  },
  {
    option: 'env',
    variable: 'ENV',
    code: 'CHX_ENV_INVALID',
    expected: /a text, such as PROD/,
    remedy: /leave it out to use PROD/,
    texts: [],
    values: [
      [5, '5'],
      [null, 'null'],
      [{ name: 'PROD' }, '{"name":"PROD"}'],
    ],
  },
  {
    option: 'flaskMetrics',
    variable: 'CHANNEL_EXPORTER_FLASK_METRICS',
    code: 'CHX_BOOLEAN_INVALID',
    expected: /on, off, 1, 0, true, false, yes or no/,
    remedy: /Use one of these words, or unset it/,
    texts: ['2', 'maybe'],
    values: [[[], '[]']],
  },
];

/** A text as messages show it: in quotes, cut at 120 characters. */
function shownText(text: string): string {
  const quoted = JSON.stringify(text);
  return quoted.length > 120 ? `${quoted.slice(0, 120)}…` : quoted;
}

describe('a faulty setting is refused with its value, what is accepted and the way out', () => {
  for (const { option, variable, code, expected, remedy, texts, values } of FAULTY) {
    const check = (from: string, shown: string, options: Values, env: NodeJS.ProcessEnv) => {
      const problems = problemsOf(options, env);
      assert.deepEqual(
        problems.map((problem) => problem.code),
        [code],
      );
      const message = problems[0]?.message ?? '';
      const form = /^(CHX_[A-Z_]+): (.*?); got (.*); expected (.*?)\. (.*\.)$/s.exec(message);
      assert.ok(form, `the message has the house form: ${message}`);
      assert.equal(form[1], code);
      assert.ok(form[2]?.startsWith(`${from} is `), message);
      assert.equal(form[3], shown);
      assert.match(message, expected);
      assert.match(message, remedy);
    };
    for (const text of texts) {
      it(`${variable}=${JSON.stringify(text).slice(0, 60)}`, () => {
        check(variable, shownText(text), {}, { SYSCODE, [variable]: text });
        check(option, shownText(text), { syscode: SYSCODE, [option]: text }, {});
      });
    }
    for (const [value, shown] of values) {
      it(`start({ ${option}: ${shown} })`, () => check(option, shown, { syscode: SYSCODE, [option]: value }, {}));
    }
  }
});

describe('a system code', () => {
  it('that is missing is asked for', () => {
    for (const env of [{}, { SYSCODE: '' }]) {
      const problems = problemsOf({}, env);
      assert.equal(problems.length, 1);
      assert.equal(
        problems[0]?.message,
        'CHX_SYSCODE_MISSING: SYSCODE is not set; expected one ASCII letter and nine ASCII digits, such as A123010101. Set the variable SYSCODE, or call start({ syscode: … }).',
      );
    }
  });

  it('with white space around it is answered with how to mend it', () => {
    assert.match(problemsOf({}, { SYSCODE: 'A123010101\n' })[0]?.message ?? '', /Remove the white space around it\.$/);
  });

  it('in lower case is taken in upper case', () => {
    assert.equal(resolve({ syscode: 'z999999999' }).config.syscode, 'Z999999999');
  });
});

describe('an unknown name', () => {
  const optionCases: readonly [name: string, remedy: string][] = [
    ['sysCode', 'Did you mean syscode?'],
    ['ports', 'Did you mean port?'],
    ['innerMetricBucket', 'Did you mean innerMetricsBuckets?'],
    ['bodylimit', 'Did you mean bodyLimit?'],
    ['constructor', 'Remove it.'],
    ['somethingElse', 'Remove it.'],
  ];
  for (const [name, remedy] of optionCases) {
    it(`of an option is refused: ${name}`, () => {
      const problems = problemsOf({ syscode: SYSCODE, [name]: 1 });
      assert.deepEqual(
        problems.map(({ code }) => code),
        ['CHX_OPTION_UNKNOWN'],
      );
      const message = problems[0]?.message ?? '';
      assert.ok(
        message.includes(`got "${name}"; expected one of syscode, port, host, webConfigFile, partners`),
        message,
      );
      assert.ok(message.endsWith(remedy), message);
    });
  }

  it('of a variable with our prefix is a warning', () => {
    const env = { CHANNEL_EXPORTER_PROT: '1', CHANNEL_EXPORTER_: '1', CHANNEL_EXPORTER_BODYLIMIT: '', OTHER: '1' };
    assert.deepEqual(
      resolve({}, env).warnings.map(({ text }) => text),
      [
        'CHANNEL_EXPORTER_PROT is not a setting and has no effect. Did you mean CHANNEL_EXPORTER_PORT?',
        'CHANNEL_EXPORTER_ is not a setting and has no effect.',
        'CHANNEL_EXPORTER_BODYLIMIT is not a setting and has no effect. Did you mean CHANNEL_EXPORTER_BODY_LIMIT?',
      ],
    );
  });
});

describe('several problems', () => {
  it('are told together, in one error', () => {
    const partners = { hosts: { 'a/b': { partner: true } } };
    const options = { partners, bodyLimit: -1, nothing: 1, innerMetricsBuckets: [2, 1] };
    const problems = problemsOf(options, { CHANNEL_EXPORTER_PORT: 'x', CHANNEL_EXPORTER_HOST: '[::1]' });
    assert.deepEqual(
      problems.map(({ code }) => code),
      [
        'CHX_OPTION_UNKNOWN',
        'CHX_SYSCODE_MISSING',
        'CHX_PORT_INVALID',
        'CHX_HOST_INVALID',
        'CHX_BUCKETS_INVALID',
        'CHX_BODY_LIMIT_INVALID',
        'CHX_PARTNER_HOST',
        'CHX_PARTNER_CODE',
      ],
    );
    const error = new ConfigError([problems[0] as (typeof problems)[0], ...problems.slice(1)]);
    assert.equal(error.message, problems.map(({ message }) => message).join('\n'));
    assert.equal(error.code, 'CHX_OPTION_UNKNOWN');
  });
});

describe('a setting', () => {
  it('is taken from the option, else the variable, else the default', () => {
    const env = { CHANNEL_EXPORTER_PORT: '1', CHANNEL_EXPORTER_INNER_METRICS_BUCKETS: '1 2.5, 1e3' };
    assert.equal(resolve({ port: 2 }, env).config.port, 2);
    assert.equal(resolve({ port: undefined }, env).config.port, 1);
    assert.equal(resolve({}).config.port, 9166);
    assert.deepEqual(resolve({}, env).config.innerMetricsBuckets, [1, 2.5, 1000]);
    assert.deepEqual(resolve({ innerMetricsBuckets: [5] }, env).config.innerMetricsBuckets, [5]);
    assert.equal(resolve({ syscode: 'B123010101' }).config.syscode, 'B123010101');
  });

  it('is taken from the standard variables after ours', () => {
    const standard = { OTEL_EXPORTER_PROMETHEUS_PORT: '3', OTEL_EXPORTER_PROMETHEUS_HOST: '127.0.0.1' };
    const { port, host } = resolve({}, standard).config;
    assert.deepEqual([port, host], [3, '127.0.0.1']);
    const ours = resolve({}, { ...standard, CHANNEL_EXPORTER_PORT: '4', CHANNEL_EXPORTER_HOST: '::1' }).config;
    assert.deepEqual([ours.port, ours.host], [4, '::1']);
    const faulty = problemsOf({}, { SYSCODE, OTEL_EXPORTER_PROMETHEUS_PORT: 'x' });
    assert.match(faulty[0]?.message ?? '', /^CHX_PORT_INVALID: OTEL_EXPORTER_PROMETHEUS_PORT is not a port; got "x"/);
  });

  it('whose variable is empty counts as not set', () => {
    const empty = { CHANNEL_EXPORTER_PORT: '', CHANNEL_EXPORTER_HOST: '', CHANNEL_EXPORTER_PARTNERS: '' };
    const rest = { CHANNEL_EXPORTER_PARTNERS_PRESET: '', CHANNEL_EXPORTER_INNER_METRICS_BUCKETS: '' };
    assert.deepEqual(JSON.parse(JSON.stringify(resolve({}, { ...empty, ...rest }).config)), {
      ...JSON.parse(JSON.stringify(resolve({}).config)),
    });
    assert.equal(resolve({}, { ...empty, OTEL_EXPORTER_PROMETHEUS_PORT: '5' }).config.port, 5);
  });

  it('takes every good spelling', () => {
    const good: readonly [option: string, raw: unknown, value: unknown][] = [
      ['port', 0, 0],
      ['port', '65535', 65535],
      ['host', 'localhost', 'localhost'],
      ['host', '::', '::'],
      ['host', 'fe80::1%eth0', 'fe80::1%eth0'],
      ['partnersPreset', ' OFF ', false],
      ['partnersPreset', 'Yes', true],
      ['partnersPreset', 0, false],
      ['innerMetricsBuckets', '[1,"2"]', [1, 2]],
      ['innerMetricsBuckets', '-1,0,.5', [-1, 0, 0.5]],
      ['ignorePaths', '/a, /b', ['/a', '/b']],
      ['ignorePaths', '["/a,b"]', ['/a,b']],
      ['ignorePaths', [], []],
      ['ignorePaths', '[]', []],
      ['env', 'staging ', 'staging '],
      ['env', 'a\0b', 'a\uFFFDb'],
      ['flaskMetrics', '1', true],
      ['bodyLimit', '0', 0],
      ['bodyLimit', 16_777_216, 16_777_216],
    ];
    for (const [option, raw, value] of good) {
      assert.deepEqual({ ...resolve({ [option]: raw }).config }[option], value, `${option}=${JSON.stringify(raw)}`);
    }
    const { labelValuesLimit } = resolve({ labelValuesLimit: 'path=5, code=6' }).config;
    assert.deepEqual([labelValuesLimit.path, labelValuesLimit.code, labelValuesLimit.f_code], [5, 6, 200]);
    assert.equal(resolve({ labelValuesLimit: 7 }).config.labelValuesLimit.path, 7);
  });

  it('cannot be changed once it is resolved', () => {
    const { config } = resolve({});
    assert.ok(Object.isFrozen(config) && Object.isFrozen(config.labelValuesLimit));
  });
});

describe('the standard switches', () => {
  it('switch everything off, whatever else is set', () => {
    for (const env of [{ OTEL_SDK_DISABLED: 'true' }, { OTEL_SDK_DISABLED: ' TRUE ' }]) {
      assert.equal(offSwitch(env), 'OTEL_SDK_DISABLED is true');
    }
    assert.equal(offSwitch({ OTEL_METRICS_EXPORTER: 'none' }), 'OTEL_METRICS_EXPORTER is none');
    for (const env of [{}, { OTEL_SDK_DISABLED: '1' }, { OTEL_SDK_DISABLED: '' }, { OTEL_METRICS_EXPORTER: 'otlp' }]) {
      assert.equal(offSwitch(env), undefined);
    }
  });

  it('choose the sources of measurements', () => {
    const enabled = (env: NodeJS.ProcessEnv) =>
      ['http', 'express'].filter((name) => resolve({}, env).config.sourceOffBy(name) === undefined);
    assert.deepEqual(enabled({}), ['http', 'express']);
    assert.deepEqual(enabled({ OTEL_NODE_ENABLED_INSTRUMENTATIONS: ' Express ,' }), ['express']);
    assert.deepEqual(enabled({ OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'express' }), ['http']);
    assert.deepEqual(
      enabled({ OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'http', OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'http' }),
      [],
    );
  });
});

describe('labels to drop and depths of codes', () => {
  const configOf = (options: Values, env: NodeJS.ProcessEnv = {}) =>
    resolveConfig({ syscode: SYSCODE, ...options }, env).config;

  it('are the same from a variable and from an option', () => {
    const dropped = { inner: ['f_code', 'method_code'], partner: ['code'], consumer: [], function: [] };
    const text = { CHANNEL_EXPORTER_DROP_LABELS: 'inner=f_code, method_code;partner=code' };
    assert.deepEqual(configOf({}, text).dropLabels, dropped);
    assert.deepEqual(
      configOf({ dropLabels: { inner: ['f_code', 'method_code'], partner: ['code'] } }).dropLabels,
      dropped,
    );
    const depths = { otherwise: Number.POSITIVE_INFINITY, patterns: [['/a/*', 1]] };
    assert.deepEqual(configOf({}, { CHANNEL_EXPORTER_CODE_DEPTH: '/a/*=1' }).codeDepth, depths);
    assert.deepEqual(configOf({ codeDepth: { '/a/*': 1 } }).codeDepth, depths);
    assert.deepEqual(configOf({ codeDepth: 2 }).codeDepth, { otherwise: 2, patterns: [] });
  });

  it('are of every family that has the label where none is named', () => {
    const { dropLabels } = configOf({ dropLabels: ['code'] });
    assert.deepEqual(dropLabels, { inner: ['code'], partner: ['code'], consumer: ['code'], function: [] });
  });
});
