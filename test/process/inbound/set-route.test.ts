/** Routes that no observed framework reports: set by the application, and published by a framework of its own. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type App, type AppOptions, INNER, runApp } from '../../support/app';
import { inboundTable, type RouteRow, routeCase } from '../../support/inbound';
import { FIXTURES } from '../../support/paths';

const FOLDER = join(FIXTURES, 'set-route');
const UNRECORDED = 'channel_exporter_unrecorded_requests_total';

const ROUTES: readonly RouteRow[] = [
  ['/plain/7', '/plain/:id', '0'],
  ['/twice/7', '/second/:id', '0'],
  ['/long', `/${'x'.repeat(251)}...`, '0'],
  ['/odd', '/a\uFFFDb\uFFFDc', '0'],
  // published
  ['/users/7', '/users/:id', '0'],
  ['/users/7/orders/8', '/own/:order', '0'],
  ['/own/first/7', '/own/:first', '0'],
  // over what Express reports
  ['/express/7', '/express/:id', '0'],
  ['/express/7/set', '/own/express/:id', '0'],
  ['/held/users.get', '/held/:method', '0'],
];

for (const script of ['server.js', 'server.mjs']) {
  describe(`the route of a request to ${script}`, () => {
    inboundTable(join(FOLDER, script), ROUTES.map(routeCase));
  });
}

async function withApp(script: string, options: AppOptions, use: (app: App) => Promise<void>): Promise<void> {
  const app = await runApp(join(FOLDER, script), options);
  try {
    await use(app);
  } finally {
    await app.stop();
  }
}

const ask = async (app: App, path: string) => (await fetch(`http://127.0.0.1:${app.port}${path}`)).status;
const pathsOf = async (app: App, count: number) => {
  const series = (await app.metricsWhen((metrics) => metrics.counts(INNER).length >= count)).counts(INNER);
  return series.map(({ labels }) => labels.path);
};

describe('setRoute()', () => {
  let shared: App;
  before(async () => {
    shared = await runApp(join(FOLDER, 'server.js'));
  });
  after(() => shared?.stop());

  it('with what cannot be used does no harm, and tells it once for each way', async () => {
    for (let n = 0; n < 3; n++) assert.equal(await ask(shared, '/wrong'), 200);
    assert.deepEqual(await pathsOf(shared, 1), ['/wrong']);
    const told = shared.stderr().match(/CHX_ROUTE_INVALID: \S+/g);
    assert.deepEqual(told?.sort(), ['CHX_ROUTE_INVALID: channel-exporter:route', 'CHX_ROUTE_INVALID: setRoute()']);
    assert.equal(shared.child.exitCode, null);
  });

  it('takes the requests of both APIs of HTTP/2', async () => {
    const ports = /^http2 (\d+),(\d+)$/m.exec(shared.stdout())?.slice(1) ?? [];
    assert.equal(ports.length, 2);
    for (const port of ports) {
      const session = http2.connect(`http://127.0.0.1:${port}`);
      const stream = session.request({ ':path': '/x/7' });
      stream.resume();
      await once(stream, 'close');
      session.close();
    }
    assert.deepEqual((await pathsOf(shared, 3)).slice(1).sort(), ['/compatible/:id', '/stream/:id']);
  });

  it('makes a 404 one of a known route', async () => {
    assert.equal(await ask(shared, '/nowhere'), 404);
    assert.equal(await ask(shared, '/missing'), 404);
    const counts = (await shared.metrics()).counts(UNRECORDED).map(({ labels, count }) => `${labels.reason} ${count}`);
    assert.deepEqual(counts.sort(), ['ignored 0', 'no_route 1', 'not_found 1']);
  });

  it('counts as a route, whatever room there is for other paths', async () => {
    const env = { CHANNEL_EXPORTER_LABEL_VALUES_LIMIT: 'path=1' };
    await withApp('server.js', { env }, async (app) => {
      for (const path of ['/marker', '/wrong', '/plain/7', '/users/7', '/twice/7']) await ask(app, path);
      assert.deepEqual(await pathsOf(app, 5), ['/marker', 'other', '/plain/:id', '/users/:id', '/second/:id']);
    });
  });

  it('may be called before start()', async () => {
    await withApp('late.js', { nodeArgs: [] }, async (app) => {
      assert.equal(await ask(app, '/7'), 200);
      assert.equal(await ask(app, '/8'), 200);
      assert.deepEqual(await pathsOf(app, 1), ['/late/:id']);
    });
  });

  it('does nothing where the exporter is switched off', async () => {
    await withApp('server.js', { env: { OTEL_SDK_DISABLED: 'true' } }, async (app) => {
      for (const path of ['/plain/7', '/users/7', '/held/x']) assert.equal(await ask(app, path), 200);
      assert.equal(app.metricsUrl, '');
    });
  });
});
