/** The port of the scrape under a web configuration: TLS, users, headers, and the processes behind it. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { createAuthority } from '../../support/certificates';
import { findDebianProgram, reportNotRun } from '../../support/debian';
import {
  ALICE,
  type Endpoint,
  MUTUAL,
  openEndpoint,
  portOf,
  SERVER_NAMES,
  statusOf,
  TLS,
} from '../../support/endpoint';
import { type Asked, ask } from '../../support/https';
import { parseMetrics } from '../../support/metrics';
import { Prometheus } from '../../support/prometheus';
import { countOf, openWorld, PRELOAD, PROGRAMS } from '../../support/service';
import { until } from '../../support/waiting';

const EXIT_LIMIT_MS = 5_000;

let endpoint: Endpoint;
before(async () => {
  endpoint = await openEndpoint();
});
afterEach(() => endpoint.stop());
after(() => endpoint.end());

describe('a port with a web configuration', () => {
  it('answers by TLS alone, and only whoever is one of its users', async () => {
    const app = await endpoint.run(TLS + ALICE);
    assert.match(app.metricsUrl, /^https:/);
    const right = await endpoint.scrape(app, { auth: 'alice:secret' });
    assert.equal(right.status, 200);
    assert.equal(right.protocol, 'TLSv1.3');
    assert.ok(parseMetrics(right.body).types.has('channel_exporter_processes'));
    assert.equal((await endpoint.scrape(app, { auth: 'alice:secret', path: '/-/healthy' })).body, 'Healthy\n');
    assert.equal(
      (await endpoint.scrape(app, { auth: 'alice:secret', path: '/-/healthy', method: 'POST' })).status,
      405,
    );
    assert.equal(await statusOf(ask(portOf(app))), 'closed');
    assert.equal(await statusOf(ask(portOf(app), { ca: endpoint.client.cert })), 'closed');
    assert.equal((await ask(app.port, { path: '/x' })).body, 'GET /x');
    assert.doesNotMatch(app.stderr(), /CHX_/);
  });

  it('says the same to everyone else, whatever is asked and whoever is named', async () => {
    const app = await endpoint.run(ALICE);
    const known = { ...(await ask(portOf(app))), fingerprint: undefined };
    assert.equal(known.status, 401);
    assert.equal(known.body, 'Unauthorized\n');
    const names = Object.keys(known.headers).sort();
    assert.deepEqual(names, ['connection', 'content-length', 'content-type', 'date', 'www-authenticate']);
    const others: readonly Asked[] = [
      { auth: 'alice:wrong' },
      { auth: 'bob:secret' },
      { auth: ':' },
      // the page, its scrape, and what is beside them
      { path: '/' },
      { path: '/', method: 'POST' },
      { path: '/', headers: { accept: 'text/html', 'accept-encoding': 'gzip' } },
      { path: '/metrics?details' },
      { path: '/-/healthy' },
      { path: '/none', method: 'DELETE' },
      { auth: `alice:${'x'.repeat(73)}` },
      { headers: { authorization: 'Bearer secret' } },
      { headers: { authorization: 'Basic !' } },
      { headers: { authorization: `Basic ${'A'.repeat(5_000)}` } },
    ];
    for (const asked of others) {
      const answer = await ask(portOf(app), asked);
      const { date } = answer.headers;
      assert.deepEqual(
        { ...answer, headers: { ...answer.headers, date } },
        { ...known, headers: { ...known.headers, date } },
      );
    }
    assert.equal((await ask(portOf(app), { auth: 'alice:secret' })).status, 200);
  });

  it('sends the headers and keeps the rate that are wanted', async () => {
    const headers = 'http_server_config:\n  headers: { X-Frame-Options: deny, X-XSS-Protection: "" }\n';
    const app = await endpoint.run(`${headers}rate_limit: { interval: 1h, burst: 3 }\n`);
    const answers = [];
    for (let i = 0; i < 5; i++) answers.push(await ask(portOf(app), { path: '/-/healthy' }));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200, 429, 429],
    );
    assert.equal(answers[0]?.headers['x-frame-options'], 'deny');
    assert.equal(answers[0]?.headers['x-xss-protection'], undefined);
  });

  it('speaks the versions and ciphers that are wanted, and HTTP/1.1', async () => {
    const cipher = 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384';
    const app = await endpoint.run(
      `${TLS}  max_version: TLS12\n  cipher_suites: [${cipher}]\nhttp_server_config: { http2: true }\n`,
    );
    assert.equal((await endpoint.scrape(app)).protocol, 'TLSv1.2');
    const offered = (ciphers: string) => statusOf(endpoint.scrape(app, { tls: { ciphers } }));
    assert.equal(await offered('ECDHE-ECDSA-AES256-GCM-SHA384'), 200);
    assert.equal(await offered('ECDHE-ECDSA-AES128-GCM-SHA256'), 'closed');
    const agreed = await new Promise((resolve, reject) => {
      const options = {
        port: portOf(app),
        host: '127.0.0.1',
        rejectUnauthorized: false,
        ALPNProtocols: ['h2', 'http/1.1'],
      };
      const socket = connectTls(options, () => resolve(socket.alpnProtocol)).on('error', reject);
    });
    assert.equal(agreed, 'http/1.1');
  });

  it('lets clients in by their certificates', async () => {
    const stranger = (await createAuthority(endpoint.folder, 'strangers')).sign('stranger', SERVER_NAMES);
    // each: without a certificate, with one of the authority, with one of another
    const cases: readonly [settings: string, statuses: readonly (number | 'closed')[]][] = [
      ['  client_auth_type: RequestClientCert\n', [200, 200, 200]],
      ['  client_auth_type: RequireAnyClientCert\n', ['closed', 200, 200]],
      ['  client_ca_file: authority.crt\n  client_auth_type: VerifyClientCertIfGiven\n', [200, 200, 'closed']],
      [MUTUAL.slice(TLS.length), ['closed', 200, 'closed']],
      [`${MUTUAL.slice(TLS.length)}  client_allowed_sans: [prometheus.example.com]\n`, ['closed', 200, 'closed']],
      [`${MUTUAL.slice(TLS.length)}  client_allowed_sans: [prometheus.example]\n`, ['closed', 'closed', 'closed']],
    ];
    for (const [settings, expected] of cases) {
      const app = await endpoint.run(`${TLS}${settings}`);
      const clients = [undefined, endpoint.client, stranger];
      const statuses = clients.map((client) => statusOf(endpoint.scrape(app, client && { client })));
      assert.deepEqual(await Promise.all(statuses), expected, settings);
      await endpoint.stop();
    }
  });
});

describe('a service of several processes with a web configuration', () => {
  it('is scraped by it whichever is the hub, and counts what all of them measure', async () => {
    const world = await openWorld();
    try {
      endpoint.put(TLS + ALICE);
      const env = { CHANNEL_EXPORTER_WEB_CONFIG_FILE: endpoint.file() };
      const args = [...PRELOAD, join(PROGRAMS, 'service.js')];
      const hub = world.start({ args, env });
      const [first] = await hub.ready(1);
      const asked = { ca: endpoint.authority.file, auth: 'alice:secret' };
      const counted = async () => {
        const { status, body } = await ask(world.port, asked).catch(() => ({ status: 0, body: '' }));
        return status === 200 ? countOf(parseMetrics(body)) : -1;
      };
      await until(async () => (await counted()) === 0, hub.output);
      const member = world.start({ args, env });
      const [second] = await member.ready(1);
      for (let i = 0; i < 3; i++) await ask(first?.port as number, { path: '/x' });
      for (let i = 0; i < 3; i++) await ask(second?.port as number, { path: '/x' });
      await until(async () => (await counted()) === 6, member.output);
      await hub.stop();
      await until(async () => (await counted()) === 0, member.output);
      for (let i = 0; i < 2; i++) await ask(second?.port as number, { path: '/x' });
      await until(async () => (await counted()) === 2, member.output);
      assert.equal((await ask(world.port, { ca: endpoint.authority.file })).status, 401);
    } finally {
      await world.end();
    }
  });
});

describe("the application's own port", () => {
  it('is not what the web configuration is for', async () => {
    const app = await endpoint.run(
      TLS + ALICE,
      { CHANNEL_EXPORTER_APP_METRICS: '/metrics' },
      'test/fixtures/exporter/not-found.js',
    );
    assert.equal((await ask(app.port, { path: '/metrics' })).status, 200);
  });
});

describe('a process with a web configuration', () => {
  for (const [what, text] of [
    ['open connections', TLS],
    ['a password just compared', TLS + ALICE],
  ] as const) {
    it(`ends with its application, in spite of ${what}`, async () => {
      const app = await endpoint.run(text, {}, 'test/fixtures/apps/finishing.js');
      assert.equal((await endpoint.scrape(app, { auth: 'alice:secret' })).status, 200);
      const kept = connectTls({ port: portOf(app), host: '127.0.0.1', rejectUnauthorized: false });
      kept.on('error', () => undefined);
      await new Promise((resolve) => kept.once('secureConnect', resolve));
      const silent = connect(portOf(app), '127.0.0.1').on('error', () => undefined);
      await ask(app.port, { path: '/end' });
      const late = setTimeout(() => app.child.kill('SIGABRT'), EXIT_LIMIT_MS);
      assert.deepEqual(await app.exited(), { code: 0, signal: null });
      clearTimeout(late);
      kept.destroy();
      silent.destroy();
    });
  }
});

describe('Prometheus', () => {
  it('scrapes by its certificate, the authority, and a password', async (t) => {
    const found = await findDebianProgram({ packages: ['prometheus'], program: 'usr/bin/prometheus' });
    if ('missing' in found) return reportNotRun(t, found.missing);
    const app = await endpoint.run(MUTUAL + ALICE);
    const target = `127.0.0.1:${portOf(app)}`;
    const tls_config = {
      ca_file: endpoint.authority.file,
      cert_file: endpoint.client.cert,
      key_file: endpoint.client.key,
    };
    const basic_auth = { username: 'alice', password: 'secret' };
    const access = {
      right: { scheme: 'https', tls_config, basic_auth },
      wrong: { scheme: 'https', tls_config, basic_auth: { ...basic_auth, password: 'wrong' } },
    };
    const prometheus = await Prometheus.start(found.path, { right: target, wrong: target }, '1s', { access });
    try {
      await prometheus.when('it has scraped', async () => {
        const up = await prometheus.query('up');
        return up.some(({ labels, value }) => labels.job === 'right' && value === 1) && up.length === 2;
      });
      const values = await prometheus.query('up');
      assert.deepEqual(Object.fromEntries(values.map(({ labels, value }) => [labels.job, value])), {
        right: 1,
        wrong: 0,
      });
      assert.equal((await prometheus.query('count(channel_exporter_processes{job="right"})')).length, 1);
    } finally {
      await prometheus.stop();
    }
  });
});
