/** channelInstrumentations(): OpenTelemetry's own instrumentations with our hooks inside. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type App, environment, INNER, nodeBinary, PARTNER, runApp } from '../../support/app';
import type { Metrics } from '../../support/metrics';
import { FIXTURES, ROOT } from '../../support/paths';
import { until } from '../../support/waiting';

interface Span {
  readonly name: string;
  readonly kind: number;
  readonly scope: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

const TRACING = ['-r', join(FIXTURES, 'span-instrumentations/tracing.cjs')];
const PRELOAD = ['-r', 'channel-exporter/register'];
const SERVER = 1;
const CLIENT = 2;
const CALLS = 3;

interface Traced {
  readonly app: App;
  readonly metrics: Metrics;
  readonly spans: readonly Span[];
}

/** Runs the service with a partner that it calls, until all its spans are written. */
async function trace(nodeArgs: readonly string[]): Promise<Traced> {
  const folder = mkdtempSync(join(tmpdir(), 'chx-spans-'));
  const file = join(folder, 'spans.jsonl');
  const partnerFile = join(folder, 'partners.json');
  writeFileSync(file, '');
  const partner = createServer((_request, response) => response.end('{"code":"00"}')).listen(0, '127.0.0.1');
  await once(partner, 'listening');
  const host = `127.0.0.1:${(partner.address() as AddressInfo).port}`;
  writeFileSync(
    partnerFile,
    JSON.stringify({ hosts: { [host]: { partner: '12', paths: { '/v1/orders/:id': '1202' } } } }),
  );
  const app = await runApp(join(FIXTURES, 'span-hooks/app.cjs'), {
    nodeArgs,
    env: { SPANS_FILE: file, CHANNEL_EXPORTER_PARTNERS: partnerFile },
  });
  try {
    const spans = () =>
      readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Span);
    for (let call = 0; call < CALLS; call++) {
      const to = encodeURIComponent(`http://${host}/v1/orders/${call}`);
      const response = await fetch(`http://127.0.0.1:${app.port}/api/call?to=${to}&method_code=M7`, {
        headers: { 'user-agent': 'T' },
      });
      assert.equal(response.status, 200, await response.text());
    }
    await until(
      async () => spans().filter(({ kind }) => kind === SERVER).length === CALLS,
      () => readFileSync(file, 'utf8'),
    );
    const metrics = await app.metricsWhen((seen) => (seen.counts(INNER)[0]?.count ?? 0) >= CALLS);
    return { app, metrics, spans: spans() };
  } finally {
    await app.stop();
    partner.close();
    partner.closeAllConnections();
    rmSync(folder, { recursive: true, force: true });
  }
}

function ofKind(spans: readonly Span[], kind: number, scope: string): readonly Span[] {
  return spans.filter((span) => span.kind === kind && span.scope === scope);
}

function ours({ attributes }: Span): Record<string, unknown> {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => /^(channel|my)\.|^http\.route$/.test(name)));
}

const ORDERS = [
  { how: 'after the preload', nodeArgs: [...PRELOAD, ...TRACING] },
  { how: 'before it', nodeArgs: [...TRACING, ...PRELOAD] },
];

describe('channelInstrumentations()', () => {
  for (const { how, nodeArgs } of ORDERS) {
    it(`makes spans with our codes and measures once, ${how}`, async () => {
      const { app, metrics, spans } = await trace(nodeArgs);
      const inbound = ofKind(spans, SERVER, '@opentelemetry/instrumentation-http');
      const outbound = ofKind(spans, CLIENT, '@opentelemetry/instrumentation-http');
      assert.deepEqual(
        inbound.map(ours),
        Array.from({ length: CALLS }, () => ({
          'channel.f_code': 'T',
          'channel.method_code': 'M7',
          'channel.code': '0',
          'http.route': '/api/call',
          'my.start': 1,
          'my.response': 1,
        })),
      );
      assert.deepEqual(
        outbound.map(ours),
        Array.from({ length: CALLS }, () => ({
          'channel.partner': '12',
          'channel.action_code': '1202',
          'channel.code': '00',
          'my.response': 1,
        })),
        'the hook of the application that throws costs none of ours',
      );
      const counts = (family: string) => metrics.counts(family).map(({ count }) => count);
      assert.deepEqual([counts(INNER), counts(PARTNER)], [[CALLS], [CALLS]]);
      assert.doesNotMatch(app.stderr(), /CHX_/);
    });
  }

  it('leaves other instrumentations of the application what is theirs, and takes their configuration', async () => {
    const { spans } = await trace([...PRELOAD, ...TRACING]);
    // the calls share a connection
    assert.ok(spans.some(({ scope }) => scope === '@opentelemetry/instrumentation-net'));
    const layers = spans.filter(({ scope }) => scope === '@opentelemetry/instrumentation-express');
    assert.ok(layers.length >= CALLS);
    for (const { attributes } of layers) {
      assert.equal(attributes['my.layer'], 1);
      assert.notEqual(attributes['express.type'], 'middleware');
    }
  });

  it('is loaded with its first call and not before', () => {
    const script = `
      const channel = require('channel-exporter');
      const loaded = () => Object.keys(require.cache).filter((file) => file.includes('/instrumentation-')).length > 0;
      const before = loaded();
      const names = channel.channelInstrumentations().map(({ instrumentationName }) => instrumentationName);
      console.log(JSON.stringify([before, loaded(), names]));`;
    const { stdout, stderr } = spawnSync(nodeBinary(), [...PRELOAD, '-e', script], {
      cwd: ROOT,
      env: environment(),
      encoding: 'utf8',
    });
    const names = ['@opentelemetry/instrumentation-http', '@opentelemetry/instrumentation-express'];
    assert.deepEqual(JSON.parse(stdout), [false, true, names], stderr);
  });
});
