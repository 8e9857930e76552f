/** Standard variables that an application sets for an SDK of its own, and ours that win over them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { envDetector } from '@opentelemetry/resources';
import { offSwitch } from '../../src/config/off-switch';
import { resolveConfig } from '../../src/config/resolve';
import { metricsExporters } from '../../src/config/standard-variables';

const SYSCODE = 'A123010101';
const SOURCES = ['http', 'express', 'koa'];

function resolve(env: NodeJS.ProcessEnv) {
  const { config, warnings } = resolveConfig({ syscode: SYSCODE }, env, SOURCES);
  return { config, warnings: warnings.map(({ text }) => text) };
}

const OFF: readonly [NodeJS.ProcessEnv, string | undefined][] = [
  [{ OTEL_SDK_DISABLED: 'true', CHANNEL_EXPORTER_DISABLED: 'false' }, undefined],
  [{ OTEL_SDK_DISABLED: 'true', CHANNEL_EXPORTER_DISABLED: ' Off ' }, undefined],
  [{ OTEL_SDK_DISABLED: 'true', CHANNEL_EXPORTER_DISABLED: '' }, 'OTEL_SDK_DISABLED is true'],
  [{ OTEL_SDK_DISABLED: 'true', CHANNEL_EXPORTER_DISABLED: 'perhaps' }, 'OTEL_SDK_DISABLED is true'],
  [{ CHANNEL_EXPORTER_DISABLED: '1' }, 'CHANNEL_EXPORTER_DISABLED is true'],
  [{ OTEL_SDK_DISABLED: 'false', CHANNEL_EXPORTER_DISABLED: 'TRUE' }, 'CHANNEL_EXPORTER_DISABLED is true'],
  [{ OTEL_METRICS_EXPORTER: 'none', CHANNEL_EXPORTER_METRICS_EXPORTER: 'prometheus' }, undefined],
  [
    { OTEL_METRICS_EXPORTER: 'prometheus', CHANNEL_EXPORTER_METRICS_EXPORTER: 'None' },
    'CHANNEL_EXPORTER_METRICS_EXPORTER is none',
  ],
  [{ OTEL_METRICS_EXPORTER: 'none,otlp' }, undefined],
];

const EXPORTERS: readonly [NodeJS.ProcessEnv, readonly string[]][] = [
  [{}, ['prometheus']],
  [{ OTEL_METRICS_EXPORTER: ' ' }, ['prometheus']],
  [{ OTEL_METRICS_EXPORTER: ' OTLP, prometheus,otlp ' }, ['prometheus', 'otlp']],
  [{ OTEL_METRICS_EXPORTER: 'console' }, ['console']],
  [{ OTEL_METRICS_EXPORTER: 'zipkin' }, ['prometheus']],
  [{ OTEL_METRICS_EXPORTER: 'none' }, ['none']],
  [{ OTEL_METRICS_EXPORTER: 'otlp,none' }, ['otlp']],
  [{ OTEL_METRICS_EXPORTER: 'none', CHANNEL_EXPORTER_METRICS_EXPORTER: 'otlp' }, ['otlp']],
];

/** Sources that are off, with the variable. */
const SOURCES_OFF: readonly [NodeJS.ProcessEnv, Readonly<Record<string, string>>][] = [
  [
    { OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'pg,http' },
    { express: 'OTEL_NODE_ENABLED_INSTRUMENTATIONS', koa: 'OTEL_NODE_ENABLED_INSTRUMENTATIONS' },
  ],
  [{ OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'pg', CHANNEL_EXPORTER_ENABLED_INSTRUMENTATIONS: 'all' }, {}],
  [{ OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'koa', CHANNEL_EXPORTER_DISABLED_INSTRUMENTATIONS: 'none' }, {}],
  [
    { OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'pg', CHANNEL_EXPORTER_DISABLED_INSTRUMENTATIONS: 'Koa' },
    { koa: 'CHANNEL_EXPORTER_DISABLED_INSTRUMENTATIONS' },
  ],
  [
    { CHANNEL_EXPORTER_ENABLED_INSTRUMENTATIONS: 'http,koa', CHANNEL_EXPORTER_DISABLED_INSTRUMENTATIONS: 'koa' },
    {
      express: 'CHANNEL_EXPORTER_ENABLED_INSTRUMENTATIONS',
      koa: 'CHANNEL_EXPORTER_DISABLED_INSTRUMENTATIONS',
    },
  ],
];

const WARNINGS: readonly [NodeJS.ProcessEnv, RegExp][] = [
  [
    { OTEL_METRICS_EXPORTER: 'otlp,promethius' },
    /^OTEL_METRICS_EXPORTER names no exporter of metrics; got "promethius"; expected prometheus, otlp, console, none\. Did you mean prometheus\?$/,
  ],
  [{ CHANNEL_EXPORTER_METRICS_EXPORTER: 'zipkin' }, /^CHANNEL_EXPORTER_METRICS_EXPORTER .*got "zipkin"; .* none\.$/],
  [{ CHANNEL_EXPORTER_DISABLED: 'ture' }, /^CHANNEL_EXPORTER_DISABLED .*got "ture".*Did you mean true\?$/],
  [
    { CHANNEL_EXPORTER_LOG_LEVEL: 'quiet' },
    /^CHANNEL_EXPORTER_LOG_LEVEL names no level; got "quiet"; expected debug, /,
  ],
  [
    { CHANNEL_EXPORTER_ENABLED_INSTRUMENTATIONS: 'mysql' },
    /^CHANNEL_EXPORTER_ENABLED_INSTRUMENTATIONS names no source; got "mysql"\. The sources are http, express, koa\.$/,
  ],
  [{ CHANNEL_EXPORTER_DISABLED_INSTRUMENTATIONS: 'kao' }, /got "kao"\. Did you mean koa\?$/],
  [{ OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'ioredsi' }, /got "ioredsi"\. Did you mean ioredis\?$/],
  [
    { CHANNEL_EXPORTER_LOGLEVEL: 'info' },
    /^CHANNEL_EXPORTER_LOGLEVEL is not .*Did you mean CHANNEL_EXPORTER_LOG_LEVEL/,
  ],
];

const SILENT: readonly NodeJS.ProcessEnv[] = [
  { OTEL_LOG_LEVEL: 'quiet', OTEL_SDK_DISABLED: 'ture' },
  { OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'pg,somebody-elses' },
  { OTEL_METRICS_EXPORTER: 'zipkin', CHANNEL_EXPORTER_METRICS_EXPORTER: 'prometheus' },
  { CHANNEL_EXPORTER_LOG_LEVEL: 'Verbose', CHANNEL_EXPORTER_DISABLED: 'no' },
];

describe('a variable of ours', () => {
  for (const [env, expected] of OFF) {
    it(`switches off, or on: ${JSON.stringify(env)}`, () => assert.equal(offSwitch(env), expected));
  }
  for (const [env, expected] of EXPORTERS) {
    it(`names exporters: ${JSON.stringify(env)}`, () => assert.deepEqual(metricsExporters(env), expected));
  }
  for (const [env, expected] of SOURCES_OFF) {
    it(`chooses sources: ${JSON.stringify(env)}`, () => {
      const { config } = resolve(env);
      const off = SOURCES.map((name) => [name, config.sourceOffBy(name)]).filter(([, by]) => by !== undefined);
      assert.deepEqual(Object.fromEntries(off), expected);
    });
  }
});

describe('a value that nothing understands', () => {
  for (const [env, expected] of WARNINGS) {
    it(`is reported: ${JSON.stringify(env)}`, () => {
      const { warnings } = resolve(env);
      assert.equal(warnings.length, 1, warnings.join('\n'));
      assert.match(warnings[0] as string, expected);
    });
  }
  for (const env of SILENT) {
    it(`is somebody else's, or none: ${JSON.stringify(env)}`, () => assert.deepEqual(resolve(env).warnings, []));
  }
});

describe('the resource of the service', () => {
  const rows: readonly NodeJS.ProcessEnv[] = [
    {},
    { OTEL_SERVICE_NAME: 'orders' },
    { OTEL_SERVICE_NAME: 'orders', OTEL_RESOURCE_ATTRIBUTES: 'service.name=other,deployment.environment=prod' },
    { OTEL_RESOURCE_ATTRIBUTES: 'service.name=other, a = b ,,k=' },
    { OTEL_RESOURCE_ATTRIBUTES: 'a%2Cb=c%3Dd%20e,%E4%BD%A0=%E5%A5%BD,a=1,a=2' },
    { OTEL_RESOURCE_ATTRIBUTES: 'constructor=y' },
    { OTEL_RESOURCE_ATTRIBUTES: 'a=b,broken' },
    { OTEL_RESOURCE_ATTRIBUTES: 'a=b=c' },
    { OTEL_RESOURCE_ATTRIBUTES: 'a=%E4%BD' },
    { OTEL_RESOURCE_ATTRIBUTES: '=b' },
    { OTEL_RESOURCE_ATTRIBUTES: `a=${'x'.repeat(255)}` },
    { OTEL_RESOURCE_ATTRIBUTES: `a=${'x'.repeat(256)}` },
  ];
  const names = ['OTEL_SERVICE_NAME', 'OTEL_RESOURCE_ATTRIBUTES'];
  for (const env of rows) {
    it(`is what the SDK's detector reads, and the system code: ${JSON.stringify(env).slice(0, 90)}`, () => {
      const before = names.map((name) => process.env[name]);
      Object.assign(process.env, env);
      try {
        const { attributes = {} } = envDetector.detect();
        const ours = { ...resolve(env).config.resourceAttributes };
        assert.deepEqual(ours, { 'service.name': SYSCODE, ...attributes });
      } finally {
        for (const [index, name] of names.entries()) {
          if (before[index] === undefined) delete process.env[name];
          else process.env[name] = before[index];
        }
      }
    });
  }

  it('has variables of ours too', () => {
    const env = {
      OTEL_SERVICE_NAME: 'theirs',
      CHANNEL_EXPORTER_SERVICE_NAME: 'ours',
      OTEL_RESOURCE_ATTRIBUTES: 'a=theirs',
      CHANNEL_EXPORTER_RESOURCE_ATTRIBUTES: 'a=ours',
    };
    assert.deepEqual({ ...resolve(env).config.resourceAttributes }, { a: 'ours', 'service.name': 'ours' });
  });

  it('reports what is malformed, and uses nothing of it', () => {
    const { config, warnings } = resolve({ OTEL_RESOURCE_ATTRIBUTES: 'a=b,c=d=e' });
    assert.deepEqual({ ...config.resourceAttributes }, { 'service.name': SYSCODE });
    assert.match(warnings.join('\n'), /^OTEL_RESOURCE_ATTRIBUTES is not used: .* got "c=d=e"\. Write key=value/);
  });
});
