/** What the codes in labels mean stands on the scrape, and one rule asks for the errors of every partner and service. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type App, runApp, SYSCODE } from '../../support/app';
import { findDebianProgram, reportNotRun } from '../../support/debian';
import type { Metrics } from '../../support/metrics';
import { ROOT } from '../../support/paths';
import { Prometheus } from '../../support/prometheus';

const CODES = 'channel_business_code_info';
const PARTNERS = 'channel_partner_info';
const NOTICED_LIMIT_MS = 20_000;
/** Rounds of traffic while Prometheus scrapes each second. */
const ROUND_EVERY_MS = 100;
const RATE_LIMIT_MS = 40_000;

/** Series of a family as the values of some of its labels. */
function series(metrics: Metrics, family: string, labels: readonly string[]): string[] {
  return metrics.samples
    .filter(({ name }) => name === family)
    .map((sample) => {
      assert.equal(sample.value, 1);
      return labels.map((label) => sample.labels[label]).join(' ');
    });
}

const codes = (metrics: Metrics) => series(metrics, CODES, ['family', 'partner', 'code', 'success']);
const partners = (metrics: Metrics) => series(metrics, PARTNERS, ['partner', 'name']);

describe('what codes mean', () => {
  const folder = mkdtempSync(join(tmpdir(), 'channel-exporter-'));
  const file = join(folder, 'partners.yaml');
  let partner: Server;
  let port: number;
  let app: App;

  const version = (name: string, success: string) => `hosts:
  "127.0.0.1:${port}": { partner: "12", name: ${name}, success: ${success} }
  alias.example: { partner: "12", success: ["OK"] }
  other.example: { partner: "13" }
  nobody.example: { partner: "" }
`;
  const own = [
    `${SYSCODE}_inner_metrics  0 true`,
    `${SYSCODE}_inner_metrics  A B true`,
    `${SYSCODE}_consumer_metrics  0 true`,
    `${SYSCODE}_consumer_metrics  1 false`,
  ];

  before(async () => {
    partner = createServer((request, response) => {
      const code = new URL(request.url ?? '', 'http://localhost').searchParams.get('code');
      response.end(JSON.stringify({ code }));
    }).listen(0, '127.0.0.1');
    await once(partner, 'listening');
    port = (partner.address() as AddressInfo).port;
    writeFileSync(file, version('Pay', '["0", 00]'));
    app = await runApp('test/fixtures/apps/business-codes.js', {
      env: {
        CHANNEL_EXPORTER_PARTNERS: file,
        CHANNEL_EXPORTER_PARTNERS_PRESET: 'off',
        CHANNEL_EXPORTER_SUCCESS_CODES: '["0", "A B", "0"]',
      },
    });
  });
  after(async () => {
    await app?.stop();
    partner.close();
    partner.closeAllConnections();
    rmSync(folder, { recursive: true });
  });

  it('stands on the scrape before anything is measured, each once', async () => {
    const metrics = await app.metrics();
    assert.deepEqual(partners(metrics), ['12 Pay', '13 ']);
    const partnerCodes = ['0', '00', 'OK'].map((code) => `partner_http_metrics 12 ${code} true`);
    assert.deepEqual(codes(metrics), [...own, ...partnerCodes]);
    assert.equal(metrics.types.get(CODES), 'gauge');
  });

  it('is an error ratio of each partner and service by one rule, in a real Prometheus', async (t) => {
    const found = await findDebianProgram({ packages: ['prometheus'], program: 'usr/bin/prometheus' });
    if ('missing' in found) {
      reportNotRun(t, found.missing);
      return;
    }
    const section = readFileSync(join(ROOT, 'docs/metrics.md'), 'utf8')
      .split('## What a code means')[1]
      ?.split('\n## ')[0];
    const [names, ofPartners, ofServices] = Array.from(
      section?.matchAll(/```promql\n(.*?)```/gs) ?? [],
      ([, text]) => text,
    );
    assert.ok(names && ofPartners && ofServices, 'three queries');
    const prometheus = await Prometheus.start(found.path, {
      app: new URL(app.metricsUrl).host.replace('localhost', '127.0.0.1'),
    });
    const get = async (path: string) => (await fetch(`http://127.0.0.1:${app.port}${path}`)).text();
    const rounds = setInterval(() => {
      for (const code of ['0', '00', 'OK', 'E1']) get(`/call?port=${port}&code=${code}`).catch(() => undefined);
      for (const code of ['0', 'E2']) get(`/answer?code=${code}`).catch(() => undefined);
    }, ROUND_EVERY_MS);
    try {
      const about = async (query: string, labels: object, value: number) => {
        let rows: unknown;
        await prometheus
          .when(
            `${query} is ${value}`,
            async () => {
              const found = await prometheus.query(query);
              rows = found;
              return found.length === 1 && Math.abs((found[0]?.value ?? Number.NaN) - value) < 0.05;
            },
            RATE_LIMIT_MS,
          )
          .catch((error) => assert.fail(`${error}: ${JSON.stringify(rows)}`));
        assert.deepEqual((await prometheus.query(query))[0]?.labels, labels);
      };
      await about(ofPartners, { partner: '12' }, 1 / 4);
      await about(ofServices, { application: SYSCODE }, 1 / 2);
      assert.deepEqual((await prometheus.query(names))[0]?.labels, { partner: '12', name: 'Pay' });
    } finally {
      clearInterval(rounds);
      await prometheus.stop();
    }
  });

  it('follows the partner file when that changes', async () => {
    writeFileSync(file, version('Pay and more', '[S]'));
    const metrics = await app.metricsWhen((seen) => partners(seen)[0] === '12 Pay and more', NOTICED_LIMIT_MS);
    assert.deepEqual(codes(metrics), [...own, 'partner_http_metrics 12 S true', 'partner_http_metrics 12 OK true']);
    writeFileSync(file, version('Pay', '5'));
    await app.metricsWhen(() => app.stderr().includes('CHX_PARTNER_SUCCESS'), NOTICED_LIMIT_MS);
    assert.deepEqual(codes(await app.metrics()), codes(metrics), 'the last good file stays');
  });

  it('is read in a thread of a large file too, and bounded', async () => {
    const hosts = Array.from({ length: 11_000 }, (_, n) => `"h${n}.test":{"partner":"p${n}","success":["0"]}`);
    writeFileSync(file, `{"hosts":{${hosts}}}`);
    const metrics = await app.metricsWhen((seen) => partners(seen).length > 1000, NOTICED_LIMIT_MS);
    assert.equal(partners(metrics).length, 10_000);
    assert.equal(codes(metrics).length, 10_000 + own.length);
  });
});
