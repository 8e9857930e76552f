/** How many connections and requests the server of the scrape takes, and from whom. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createMetricsServer, type MetricsServer } from '../../../src/exporter/http/server';
import type { Body, Scrape } from '../../../src/exporter/scrape';
import { until } from '../../support/waiting';

const PLACES = 64;
const SOON_MS = 5_000;
const BODY: Body = { headers: { 'Content-Type': 'text/plain' }, chunks: [Buffer.from('x 1\n')] };
const GET = 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n';
const HEAD = 'HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n';

describe('the server of the scrape', () => {
  let server: MetricsServer;
  let port: number;
  let scrape: Scrape;
  let scrapes: number;
  let sockets: Socket[];

  beforeEach(async () => {
    scrapes = 0;
    sockets = [];
    scrape = async () => BODY;
    const counted: Scrape = (form) => {
      scrapes++;
      return scrape(form);
    };
    server = createMetricsServer(counted, { port: 0, host: '127.0.0.1' });
    await server.listen();
    port = Number(new URL(server.url).port);
  });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await server.close();
  });

  async function open(localAddress = '127.0.0.1'): Promise<Socket> {
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    sockets.push(socket);
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  }

  /** @returns the first bytes of the answer; undefined where the connection is closed before */
  async function ask(socket: Socket): Promise<string | undefined> {
    socket.write(GET);
    const answer = once(socket, 'data').then(([bytes]) => String(bytes));
    return Promise.race([answer, once(socket, 'close').then(() => undefined)]);
  }

  async function openAll(count: number, localAddress?: string): Promise<Socket[]> {
    const all: Socket[] = [];
    for (let i = 0; i < count; i++) all.push((await open(localAddress)).resume());
    return all;
  }

  it('parses one request of those that arrive together, and closes the connection', async () => {
    const socket = await open();
    const closed = once(socket.resume(), 'close');
    socket.write(HEAD.repeat(1_000));
    await closed;
    assert.equal(scrapes, 1);
  });

  it('does so for any request that follows on one that is not answered', async () => {
    for (const next of ['CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n', 'POST / HTTP/1.1\r\nHost: x\r\n\r\n', GET]) {
      const socket = await open();
      const closed = once(socket.resume(), 'close');
      socket.write(HEAD + next);
      await closed;
    }
    assert.equal(scrapes, 3);
  });

  it('answers the requests of one connection one after the other, also those that name another protocol', async () => {
    const socket = await open();
    for (let i = 0; i < 20; i++) assert.match((await ask(socket)) ?? '', /^HTTP\/1\.1 200 /);
    socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n');
    assert.match(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 200 /);
    assert.match((await ask(socket)) ?? '', /^HTTP\/1\.1 200 /);
  });

  it('gives a newcomer the place of the oldest connection that rests, when all are taken', async () => {
    const all = await openAll(PLACES);
    const first = all[0] as Socket;
    const answered = once(first, 'data');
    // one that has its answer under way is not at rest
    scrape = () => new Promise(() => undefined);
    all[1]?.write(GET);
    await until(() => scrapes === 1, 'the request arrives', SOON_MS);
    scrape = async () => BODY;
    first.write(GET);
    await answered;
    const closed = once(first, 'close');
    assert.match((await ask(await open())) ?? '', /^HTTP\/1\.1 200 /);
    await closed;
    assert.equal(all.filter(({ closed: isClosed }) => isClosed).length, 1);
    assert.equal(all[1]?.closed, false);
  });

  // other systems have one loopback address
  const has = process.platform === 'linux' ? it : () => undefined;
  has('takes that place from the address that has most of them', async () => {
    const [quiet] = await openAll(1, '127.0.0.2');
    const greedy = await openAll(PLACES - 1, '127.0.0.3');
    const closed = once(greedy[0] as Socket, 'close');
    assert.match((await ask(await open('127.0.0.4'))) ?? '', /^HTTP\/1\.1 200 /);
    await closed;
    assert.match((await ask(quiet as Socket)) ?? '', /^HTTP\/1\.1 200 /);
  });

  it('reads a bounded number of requests in a second, each connection in its turn', async () => {
    const connections = await openAll(PLACES);
    const answers = connections.map(() => 0);
    for (const [index, socket] of connections.entries()) {
      socket.on('data', () => {
        answers[index] = (answers[index] ?? 0) + 1;
        socket.write(HEAD);
      });
      socket.write(HEAD);
    }
    const beganMs = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const all = scrapes;
    const seconds = (performance.now() - beganMs) / 1000;
    // at first one of each connection, at its beginning and before its first request, then 200 a second
    assert.ok(all <= 2 * PLACES + 200 * (seconds + 1), `${all} in ${seconds} s`);
    assert.ok(Math.max(...answers) - Math.min(...answers) <= 2, `${answers}`);
  });
});
