/** An application with an SDK of its own keeps the metrics of this package, and the service has its name on the scrape. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import { INNER, runApp, SYSCODE } from '../../support/app';
import type { ProgramOptions } from '../../support/program';
import { until } from '../../support/waiting';

const HELLO = 'test/fixtures/apps/hello.js';

/** @returns requests that were recorded, of one that was made; the scrape; and what was logged of the start */
async function askOnce(env: NonNullable<ProgramOptions['env']>, wanted = 1) {
  const app = await runApp(HELLO, { env });
  try {
    assert.equal(await (await fetch(`http://127.0.0.1:${app.port}/x`)).text(), 'GET /x');
    const metrics = await app.metricsWhen((each) => each.counts(INNER).length >= wanted);
    await until(() => app.stderr().includes('; observes '), 'there is no start line');
    return { metrics, recorded: metrics.counts(INNER).length, log: app.stderr() };
  } finally {
    await app.stop();
  }
}

const WINS: readonly Readonly<Record<string, string>>[] = [
  { OTEL_SDK_DISABLED: 'true', CHANNEL_EXPORTER_DISABLED: 'off' },
  { OTEL_METRICS_EXPORTER: 'none', CHANNEL_EXPORTER_METRICS_EXPORTER: 'prometheus' },
  { OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'pg', CHANNEL_EXPORTER_ENABLED_INSTRUMENTATIONS: 'all' },
  { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'http', CHANNEL_EXPORTER_DISABLED_INSTRUMENTATIONS: 'none' },
  { OTEL_LOG_LEVEL: 'none', CHANNEL_EXPORTER_LOG_LEVEL: 'info' },
];

describe('variables that an application sets for its own SDK', () => {
  for (const env of WINS) {
    it(`are overridden by ours: ${JSON.stringify(env)}`, async () => {
      const { recorded, log } = await askOnce(env);
      assert.equal(recorded, 1);
      assert.doesNotMatch(log, /; off by |CHX_/);
    });
  }

  it('are named by the start line with what they switch off', async () => {
    const { recorded, log } = await askOnce({ OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'pg,undici,koa' }, 0);
    assert.equal(recorded, 0);
    assert.match(log, /; observes undici; off by OTEL_NODE_ENABLED_INSTRUMENTATIONS: http, http2, express, /);
    assert.doesNotMatch(log, /CHX_/);
  });
});

describe('target_info', () => {
  const env = { OTEL_SERVICE_NAME: 'orders "x"', OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=%E7%94%9F,k=v' };

  it('is off', async () => {
    const { metrics } = await askOnce(env);
    assert.doesNotMatch(metrics.text, /target_info/);
  });

  it('is as PrometheusSerializer writes it, with the name of the service', async () => {
    const { metrics } = await askOnce({ ...env, CHANNEL_EXPORTER_TARGET_INFO: 'on' });
    const attributes = { 'deployment.environment': '生', k: 'v', 'service.name': 'orders "x"' };
    const resource = defaultResource().merge(resourceFromAttributes(attributes));
    const stock = new PrometheusSerializer().serialize({ resource, scopeMetrics: [] });
    const lines = (text: string) => text.split('\n').filter((line) => line.includes('target_info'));
    assert.equal(lines(stock).length, 3);
    assert.deepEqual(lines(metrics.text), lines(stock));
  });

  it('has the system code where nothing names the service', async () => {
    const { metrics } = await askOnce({ CHANNEL_EXPORTER_TARGET_INFO: '1' });
    assert.match(metrics.text, new RegExp(`^target_info\\{service_name="${SYSCODE}",telemetry_sdk_`, 'm'));
  });
});
