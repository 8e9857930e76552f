/** Codes in places that settings and the partner file name: the same in metrics and on spans, and with their meanings. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type App, INNER, PARTNER, runApp } from '../../support/app';
import { FIXTURES } from '../../support/paths';
import { until } from '../../support/waiting';

const NODE_ARGS = ['-r', 'channel-exporter/register', '-r', join(FIXTURES, 'span-instrumentations/tracing.cjs')];
const SERVER = 1;
const CLIENT = 2;
const ANSWER =
  '{"data":{"code":"X"},"operationName":"GetUser","errors":[{"message":"m"},{"extensions":{"code":"E1"}}]}';
const RPC = '[{"code":"X","result":1},{"error":{"code":-32601,"data":{"code":"D"}}}]';

interface Span {
  readonly kind: number;
  readonly attributes: Readonly<Record<string, unknown>>;
}

describe('codes in places that are set', () => {
  let folder: string;
  let partner: Server;
  let port: number;
  const spansFile = () => join(folder, 'spans.jsonl');

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'chx-places-'));
    partner = createServer((_request, response) => response.end(RPC)).listen(0, '127.0.0.1');
    await once(partner, 'listening');
    port = (partner.address() as AddressInfo).port;
    const hosts = {
      [`127.0.0.1:${port}`]: { partner: '12', success: ['-32601'], codeFrom: ['error.code', 'code'] },
      [`localhost:${port}`]: { partner: '13' },
    };
    writeFileSync(join(folder, 'partners.json'), JSON.stringify({ hosts }));
  });
  after(() => {
    partner.close();
    partner.closeAllConnections();
    rmSync(folder, { recursive: true, force: true });
  });

  async function withApp(env: Readonly<Record<string, string>>, check: (app: App) => Promise<void>): Promise<void> {
    writeFileSync(spansFile(), '');
    const app = await runApp(join(FIXTURES, 'operations/traced.js'), {
      nodeArgs: NODE_ARGS,
      env: {
        SPANS_FILE: spansFile(),
        CHANNEL_EXPORTER_PARTNERS: join(folder, 'partners.json'),
        CHANNEL_EXPORTER_PARTNERS_PRESET: 'off',
        CHANNEL_EXPORTER_METHOD_CODE_FROM: 'operationName,method',
        CHANNEL_EXPORTER_CODE_FROM: 'errors[*].extensions.code,.code',
        CHANNEL_EXPORTER_SUCCESS_CODES: 'E1',
        ...env,
      },
    });
    try {
      await check(app);
    } finally {
      await app.stop();
    }
  }

  /** Asks everything, and gives back the spans of it: one that was answered, and the calls through node:http. */
  async function spansOf(app: App): Promise<readonly Span[]> {
    const at = `http://127.0.0.1:${app.port}`;
    await (await fetch(`${at}/answer`, { method: 'POST', body: ANSWER })).text();
    for (const via of ['http', 'fetch']) {
      for (const host of ['127.0.0.1', 'localhost']) {
        const query = new URLSearchParams({ via, to: `http://${host}:${port}/rpc` });
        assert.equal((await fetch(`${at}/call?${query}`)).status, 204);
      }
    }
    const spans = () =>
      readFileSync(spansFile(), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Span)
        .filter(({ kind, attributes }) =>
          kind === SERVER ? attributes['url.path'] === '/answer' : attributes['channel.partner'] !== undefined,
        );
    await until(
      async () => spans().length >= 3,
      () => `spans are missing: ${readFileSync(spansFile(), 'utf8')}`,
    );
    return spans();
  }

  function assertSpans(spans: readonly Span[]): void {
    const server = spans.find(({ kind }) => kind === SERVER)?.attributes;
    assert.equal(server?.['channel.code'], 'E1');
    assert.equal(server?.['channel.method_code'], 'GetUser');
    assert.equal(server?.['http.route'], '/set/:route');
    const calls = spans.filter(({ kind }) => kind === CLIENT).map(({ attributes }) => attributes);
    assert.deepEqual(
      calls.map((attributes) => `${attributes['channel.partner']} ${attributes['channel.code']}`),
      ['12 -32601', '13 X'],
    );
  }

  it('are in the metrics and on the spans, and have their meanings', async () => {
    await withApp({}, async (app) => {
      assertSpans(await spansOf(app));
      const isThere = (sum: number, count: number) => sum + count;
      const metrics = await app.metricsWhen(
        (seen) =>
          seen
            .counts(PARTNER)
            .map(({ count }) => count)
            .reduce(isThere, 0) === 4 && seen.counts(INNER).some(({ labels }) => labels.path === '/set/:route'),
      );
      const inner = metrics.counts(INNER).find(({ labels }) => labels.path === '/set/:route')?.labels;
      assert.equal(inner?.code, 'E1');
      assert.equal(inner?.method_code, 'GetUser');
      const partners = metrics.counts(PARTNER).map(({ labels, count }) => `${labels.partner} ${labels.code} ${count}`);
      assert.deepEqual(partners.sort(), ['12 -32601 2', '13 X 2']);
      const meanings = metrics.counts('channel_business_code_info');
      for (const { labels } of [
        ...metrics.counts(INNER).filter(({ labels: { code } }) => code === 'E1'),
        ...metrics.counts(PARTNER).filter(({ labels: each }) => each.partner === '12'),
      ]) {
        const same = meanings.filter(
          ({ labels: each }) => each.code === labels.code && (each.partner ?? '') === (labels.partner ?? ''),
        );
        assert.deepEqual(
          same.map(({ labels: { success } }) => success),
          ['true'],
        );
      }
    });
  });

  it('are on the spans of an application that has the hooks alone', async () => {
    await withApp({ CHANNEL_EXPORTER_DISABLED_INSTRUMENTATIONS: 'http,undici' }, async (app) => {
      assertSpans(await spansOf(app));
      assert.deepEqual((await app.metrics()).counts(PARTNER), []);
    });
    await withApp({ CHANNEL_EXPORTER_METRICS_EXPORTER: 'none' }, async (app) => assertSpans(await spansOf(app)));
  });
});
