/** A partner directory that does not fit the calls shows on the scrape and, at the debug level, in the log. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type App, type AppOptions, runApp } from '../../support/app';
import type { Metrics } from '../../support/metrics';
import { until } from '../../support/waiting';

const SCRIPT = 'test/fixtures/apps/business-codes.js';
const SOON = ['-r', './test/fixtures/apps/soon.js', '-r', 'channel-exporter/register'];

/** Values of a family by the values of their labels. */
function values(metrics: Metrics, family: string): Record<string, number> {
  const own = metrics.samples.filter(({ name }) => name === family);
  return Object.fromEntries(
    own.map(({ labels, value }) => [`${labels.partner ?? ''} ${labels.reason ?? labels.kind}`, value]),
  );
}
const misses = (metrics: Metrics) => values(metrics, 'channel_exporter_partner_misses_total');
const unmatched = (metrics: Metrics) => values(metrics, 'channel_exporter_partner_unmatched');

describe('a partner directory that does not fit', () => {
  const folder = mkdtempSync(join(tmpdir(), 'channel-exporter-'));
  const file = join(folder, 'partners.json');
  const partner: Server = createServer((_request, response) => response.end('{"code":"0"}'));
  let port: number;
  const apps: App[] = [];

  before(async () => {
    partner.listen(0, '127.0.0.1');
    await once(partner, 'listening');
    port = (partner.address() as AddressInfo).port;
    write('12');
  });
  after(async () => {
    await Promise.all(apps.map((app) => app.stop()));
    partner.close();
    partner.closeAllConnections();
    rmSync(folder, { recursive: true });
  });

  function write(code: string): void {
    const paths = { '/pay': '1', '/empty': '', '/orders/:id': '2', '/never': '3' };
    const hosts = {
      [`127.0.0.1:${port}`]: { partner: code, aliases: ['alias.test'], paths },
      'localhost:1': { partner: '13', paths: { '/never': '1' } },
    };
    writeFileSync(file, JSON.stringify({ hosts }));
  }

  async function start(options: AppOptions = {}): Promise<App> {
    const app = await runApp(SCRIPT, { ...options, env: { CHANNEL_EXPORTER_PARTNERS: file, ...options.env } });
    apps.push(app);
    return app;
  }

  async function call(app: App, path: string, to = port): Promise<void> {
    const query = new URLSearchParams({ port: String(to), code: '0', path });
    await (await fetch(`http://127.0.0.1:${app.port}/call?${query}`)).text();
  }

  it('counts calls to paths and ports that no entry has, and what no call has met', async () => {
    const app = await start();
    assert.deepEqual(unmatched(await app.metrics()), { ' host': 2, ' path': 5 });
    assert.deepEqual(misses(await app.metrics()), {});
    for (const path of ['/pay', '/empty', '/orders/1', '/orders/2', '/other', '/pay/', '/other']) await call(app, path);
    await call(app, '/pay', 1);
    const metrics = await app.metricsWhen((seen) => misses(seen)['12 port'] === 1);
    assert.deepEqual(misses(metrics), { '12 path': 3, '12 port': 1 });
    assert.deepEqual(unmatched(metrics), { ' host': 1, ' path': 2 });
    assert.match(app.stderr(), /CHX_PARTNER_PATH: calls to "\/pay\/" of 127\.0\.0\.1 .* has "\/pay"/);

    write('14');
    await app.metricsWhen((seen) => unmatched(seen)[' path'] === 5);
    await call(app, '/pay');
    await app.metricsWhen((seen) => unmatched(seen)[' path'] === 4);
  });

  it('logs after a while what no call has met, at the debug level', async () => {
    const app = await start({ nodeArgs: SOON, env: { OTEL_LOG_LEVEL: 'debug' } });
    await call(app, '/pay');
    const said = (text: string) => app.stderr().includes(text);
    await until(() => said('of partner entries'), app.stderr);
    assert.ok(said('no call has met the partner entries "localhost:1"\n'), app.stderr());
    const paths = ['/empty', '/orders/:id', '/never'].map((path) => `"127.0.0.1:${port}${path}"`);
    assert.ok(said(`no call has met the paths ${paths.join(', ')} of partner entries`), app.stderr());
  });

  it('warns of an entry whose host is called on another port alone', async () => {
    const app = await start({ nodeArgs: SOON });
    await call(app, '/pay', 1);
    const entry = `the partner entry 127.0.0.1:${port} has another port`;
    await until(() => app.stderr().includes(entry), app.stderr);
    assert.match(
      app.stderr(),
      /CHX_PARTNER_PORT: calls to 127\.0\.0\.1:1 .* Add an entry or alias "127\.0\.0\.1:1"\.\n/,
    );
    assert.ok(!app.stderr().includes('no call has met'), 'only at the debug level');
  });
});
