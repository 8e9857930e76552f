/**
 * What clients of a port with TLS and users can do to the application: its event loop is kept no longer than a bound,
 * however many there are and whatever they send, and an honest scraper has its turn.
 */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import type { App } from '../../support/app';
import { effort } from '../../support/effort';
import { ALICE, type Endpoint, openEndpoint, portOf, statusOf, TLS, user } from '../../support/endpoint';
import { ask } from '../../support/https';
import { until } from '../../support/waiting';

const PAUSES = 'test/fixtures/exporter/pauses.js';
/** A pause that a user would notice; a bcrypt of this cost in the event loop would be one of 0.3 s and more. */
const LIMIT_MS = 250;
const COSTLY = 12;
/** Pauses that a busy machine makes by itself. */
const FEW = 3;
const CONNECTIONS = 100;
const ATTACK_MS = effort({ short: 800, full: 10_000 });
const SCRAPE_LIMIT_MS = 20_000;
/** TLS of a client that begins and never goes on. */
const HELLO_BEGUN = Buffer.from('16030100c8010000c40303', 'hex');

interface Pauses {
  readonly count: number;
  readonly longestMs: number;
}

let endpoint: Endpoint;
before(async () => {
  endpoint = await openEndpoint();
});
afterEach(() => endpoint.stop());
after(() => endpoint.end());

const pausesOf = async (app: App) => JSON.parse((await ask(app.port, { path: '/pauses' })).body) as Pauses;
const run = (text: string) => endpoint.run(text, { LIMIT: String(LIMIT_MS) }, PAUSES);

/** Again and again, on many connections at a time. @param once ends when its connection is over */
async function attack(once: () => Promise<unknown>, connections = CONNECTIONS): Promise<void> {
  const end = Date.now() + ATTACK_MS;
  const attacker = async () => {
    while (Date.now() < end) await Promise.race([once(), new Promise((resolve) => setTimeout(resolve, 300))]);
  };
  await Promise.all(Array.from({ length: connections }, attacker));
}

/** Opens a connection and leaves it open. */
function openWith(open: () => Socket, bytes: Buffer | string): Promise<void> {
  return new Promise((resolve) => {
    const socket = open();
    socket.on('error', () => undefined).once('close', () => resolve());
    socket.write(bytes);
  });
}

describe('clients of a port with TLS and users', () => {
  const plain = (app: App) => () => connect(portOf(app), '127.0.0.1');
  const attacks: readonly [what: string, text: string, once: (app: App) => Promise<unknown>][] = [
    ['connect and send nothing', TLS, (app) => openWith(plain(app), '')],
    ['begin a handshake and do not go on', TLS, (app) => openWith(plain(app), HELLO_BEGUN)],
    ['speak plain HTTP to TLS', TLS, (app) => statusOf(ask(portOf(app)))],
    ['do not know the authority', TLS, (app) => statusOf(ask(portOf(app), { ca: endpoint.client.cert }))],
    [
      'begin a request inside TLS and do not go on',
      TLS,
      (app) =>
        openWith(
          () => connectTls({ port: portOf(app), host: '127.0.0.1', rejectUnauthorized: false }),
          'GET /metrics HTT',
        ),
    ],
    ['begin a request and do not go on', ALICE, (app) => openWith(plain(app), 'GET /metrics HTTP/1.1\r\nA: ')],
    [
      'send wrong passwords',
      `basic_auth_users:\n${user('alice', 'secret', COSTLY)}`,
      (app) => statusOf(ask(portOf(app), { auth: `alice:${Math.random()}` })),
    ],
  ];
  for (const [what, text, once] of attacks) {
    it(`do not keep the application from its event loop, nor a scraper for ever, that ${what}`, async () => {
      const app = await run(text);
      const honest = { auth: 'alice:secret', ...(text === TLS ? { ca: endpoint.authority.file } : {}) };
      assert.equal((await ask(portOf(app), honest)).status, 200);
      await pausesOf(app);
      await attack(() => once(app));
      const { count, longestMs } = await pausesOf(app);
      assert.ok(count <= FEW, `the longest of ${count} pauses took ${longestMs} ms`);
      await until(async () => (await statusOf(ask(portOf(app), honest))) === 200, app.stderr, SCRAPE_LIMIT_MS);
      assert.doesNotMatch(app.stderr(), /CHX_|Error/);
    });
  }

  it('have their passwords compared, right or wrong, while the application goes on', async () => {
    const app = await endpoint.run(`basic_auth_users:\n${user('alice', 'secret', COSTLY)}`, { LIMIT: '1' }, PAUSES);
    const shares: number[] = [];
    for (const password of ['a', 'b', 'secret']) {
      await pausesOf(app);
      const since = performance.now();
      await statusOf(ask(portOf(app), { auth: `alice:${password}` }));
      const ms = performance.now() - since;
      shares.push((await pausesOf(app)).longestMs / ms);
    }
    // in the event loop, all of the time would be one pause
    assert.ok(Math.min(...shares) < 0.5, String(shares));
  });

  it('are answered, a thousand scrapes at a time with one password, or turned away', async () => {
    const app = await run(`${TLS}basic_auth_users:\n${user('alice', 'secret', COSTLY)}`);
    const asked = { ca: endpoint.authority.file, auth: 'alice:secret' };
    const statuses = await Promise.all(Array.from({ length: 1_000 }, () => statusOf(ask(portOf(app), asked))));
    const kinds = new Set(statuses);
    assert.ok(kinds.has(200));
    for (const kind of kinds) assert.ok(kind === 200 || kind === 'closed', String(kind));
    await until(async () => (await statusOf(ask(portOf(app), asked))) === 200, app.stderr, SCRAPE_LIMIT_MS);
    const { count, longestMs } = await pausesOf(app);
    assert.ok(count <= FEW, `the longest of ${count} pauses took ${longestMs} ms`);
  });

  it('have ten seconds for a handshake, in however small pieces it comes', async () => {
    const app = await run(TLS);
    const since = performance.now();
    const socket = connect(portOf(app), '127.0.0.1').on('error', () => undefined);
    const drip = setInterval(() => socket.write(HELLO_BEGUN.subarray(0, 1)), 500);
    socket.write(HELLO_BEGUN);
    await new Promise((resolve) => socket.once('close', resolve));
    clearInterval(drip);
    const seconds = (performance.now() - since) / 1000;
    assert.ok(seconds > 8 && seconds < 20, `${seconds} s`);
  });
});
