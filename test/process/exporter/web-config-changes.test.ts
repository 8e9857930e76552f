/** A web configuration, and the certificates that it names, changed under a running program, or wrong from the start. */
import assert from 'node:assert/strict';
import { copyFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import {
  ALICE,
  type Endpoint,
  isSaid,
  openEndpoint,
  portOf,
  SERVER_NAMES,
  statusOf,
  TLS,
  user,
} from '../../support/endpoint';
import { ask } from '../../support/https';
import { freePort, until } from '../../support/waiting';

/** One for each test: they run at the same time, because each waits most of it. */
async function opened(t: TestContext): Promise<Endpoint> {
  const endpoint = await openEndpoint();
  t.after(() => endpoint.end());
  return endpoint;
}

describe('a web configuration that changes', { concurrency: true }, () => {
  it('is in force for the next request, and a certificate for the next connection', async (t) => {
    const endpoint = await opened(t);
    const app = await endpoint.run(TLS + ALICE);
    const { fingerprint } = await endpoint.scrape(app, { auth: 'alice:secret' });
    endpoint.authority.sign('server', SERVER_NAMES);
    await isSaid(app, /web-\d+\.yaml has been read again: TLS, users: 1/);
    const renewed = await endpoint.scrape(app, { auth: 'alice:secret' });
    assert.equal(renewed.status, 200);
    assert.notEqual(renewed.fingerprint, fingerprint);

    endpoint.put(`${TLS}basic_auth_users:\n${user('alice', 'other')}${user('bob', 'secret')}`);
    await isSaid(app, /read again: TLS, users: 2/);
    const statuses = ['alice:secret', 'alice:other', 'bob:secret'].map((auth) =>
      statusOf(endpoint.scrape(app, { auth })),
    );
    assert.deepEqual(await Promise.all(statuses), [401, 200, 200]);

    endpoint.put(ALICE);
    await isSaid(app, /read again: plain HTTP, users: 1/);
    assert.equal((await ask(portOf(app), { auth: 'alice:secret' })).status, 200);
  });

  it('is not used while it is wrong: the last good one stays, and it is said once', async (t) => {
    const endpoint = await opened(t);
    const app = await endpoint.run(TLS + ALICE);
    const { fingerprint } = await endpoint.scrape(app, { auth: 'alice:secret' });
    endpoint.put(`${TLS}basic_auth_user:\n${user('bob', 'secret')}`);
    await isSaid(
      app,
      /CHX_WEB_CONFIG_RELOAD: .*\n.*CHX_WEB_CONFIG_KEY: .*web-\d+\.yaml:4:1: .* Did you mean basic_auth_users\?/,
    );
    endpoint.put(TLS + ALICE);
    await isSaid(app, /web-\d+\.yaml has been read again/);
    // the key of another certificate
    copyFileSync(endpoint.client.key, endpoint.server.key);
    await isSaid(app, /CHX_WEB_TLS_CERTIFICATE: .*web-\d+\.yaml:2:14: .*key values mismatch/);
    rmSync(endpoint.file());
    await isSaid(app, /CHX_WEB_CONFIG_UNREADABLE/);
    const still = await endpoint.scrape(app, { auth: 'alice:secret' });
    assert.deepEqual([still.status, still.fingerprint], [200, fingerprint]);
    assert.equal(await statusOf(endpoint.scrape(app)), 401);
    assert.equal(app.stderr().match(/CHX_WEB_CONFIG_RELOAD/g)?.length, 3);
  });

  it('keeps the port closed where it is wrong at the start, and opens it when it is good', async (t) => {
    const endpoint = await opened(t);
    const port = await freePort();
    rmSync(endpoint.server.key);
    const app = await endpoint.run('basic_auth_user: {}\n', { CHANNEL_EXPORTER_PORT: String(port) });
    await isSaid(app, /CHX_WEB_CONFIG_REFUSED: port \d+ stays closed/);
    assert.equal((await ask(app.port, { path: '/x' })).body, 'GET /x');
    assert.equal(await statusOf(ask(port)), 'closed');
    await new Promise<void>((resolve, reject) => {
      connect(port, '127.0.0.1', () => reject(new Error('it is open'))).on('error', () => resolve());
    });
    endpoint.put(TLS);
    await isSaid(app, /CHX_WEB_TLS_CERTIFICATE: .*key_file cannot be read: ENOENT/);
    endpoint.authority.sign('server', SERVER_NAMES);
    await until(async () => (await statusOf(ask(port, { ca: endpoint.authority.file }))) === 200, app.stderr);
    assert.match(
      (await ask(port, { ca: endpoint.authority.file })).body,
      /_inner_metrics_count\{[^}]*path="\/x"[^}]*\} 1$/m,
    );
    assert.equal(app.stderr().match(/CHX_WEB_CONFIG_REFUSED/g)?.length, 2);
    await isSaid(app, /channel-exporter: [\d.]+, A123010101, https:/);
  });
});
