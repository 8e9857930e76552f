/** Scrapers that do not read: what they hold, and for how long. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, get } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { replyOver } from '../../../src/exporter/http/answer';
import { createMetricsServer, type MetricsServer } from '../../../src/exporter/http/server';
import type { Body, Scrape } from '../../../src/exporter/scrape';
import { until } from '../../support/waiting';

const MEBIBYTE = 1024 * 1024;
/** As many as the server takes. */
const SCRAPERS = 64;
/** The size of a scrape of 20,000 series, in pieces as they are written. */
const PIECES = 240;
const PIECE_BYTES = 256 * 1024;
const SCRAPE_BYTES = PIECES * PIECE_BYTES;
/** Longer than an answer may stand still, and Node's own limit, which counts twice. */
const GONE_LIMIT_MS = 25_000;
const SOON_MS = 5_000;
const REQUEST = 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function bodyOfSize(): Body {
  return {
    headers: { 'Content-Type': 'text/plain' },
    chunks: Array.from({ length: PIECES }, () => Buffer.allocUnsafeSlow(PIECE_BYTES).fill('x')),
  };
}

/** Bytes of buffers that somebody still holds. */
function heldBytes(): number {
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

/** Asks for the scrape, and never reads more than the first bytes of the answer. */
async function stuckScraper(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(REQUEST);
  await once(socket, 'readable');
  return socket;
}

describe('scrapers that do not read', () => {
  let server: MetricsServer;
  let port: number;
  let scrape: Scrape;
  let sockets: Socket[] = [];
  const stuck = async (count: number) => {
    const more = await Promise.all(Array.from({ length: count }, () => stuckScraper(port)));
    sockets.push(...more);
    return more;
  };
  /** Read to its end, an answer that was cut off shows. */
  const closed = async (socket: Socket) => {
    const isClosed = once(socket, 'close');
    socket.resume();
    await isClosed;
    return socket.bytesRead;
  };

  before(async () => {
    server = createMetricsServer((form) => scrape(form), { port: 0, host: '127.0.0.1' });
    await server.listen();
    port = Number(new URL(server.url).port);
  });
  after(() => server.close());

  it(`hold one scrape together, ${SCRAPERS} of them, and nothing any more after ten seconds`, async () => {
    const before = heldBytes();
    let body: Body | undefined = bodyOfSize();
    scrape = async () => body as Body;
    await stuck(SCRAPERS);
    // a server of the application has no limit of its own
    const application = createServer((_request, response) => {
      replyOver(response)(200, {}, (body as Body).chunks);
    }).listen(0, '127.0.0.1');
    await once(application, 'listening');
    sockets.push(await stuckScraper((application.address() as AddressInfo).port));
    const held = heldBytes() - before;
    assert.ok(held < SCRAPE_BYTES + 8 * MEBIBYTE, `${held / MEBIBYTE} MiB`);
    body = undefined;
    assert.ok(heldBytes() - before >= SCRAPE_BYTES, 'they do hold it');
    await until(() => heldBytes() - before < 8 * MEBIBYTE, 'it is let go of', GONE_LIMIT_MS);
    const received = await Promise.all(sockets.map(closed));
    assert.ok(Math.max(...received) < SCRAPE_BYTES, 'nobody got a whole one');
    sockets = [];
    application.close();
  });

  it('hold nothing by asking again on the same connection: it is closed', async () => {
    const before = heldBytes();
    let answers = 0;
    scrape = async () => {
      answers++;
      return bodyOfSize();
    };
    const socket = await stuckScraper(port);
    socket.write(REQUEST);
    await closed(socket);
    await until(() => heldBytes() - before < 8 * MEBIBYTE, 'it is let go of', SOON_MS);
    assert.equal(answers, 1);
  });

  it('hold two scrapes at most when each has come at another time: the oldest are cut off', async () => {
    const before = heldBytes();
    scrape = async () => bodyOfSize();
    for (let i = 0; i < 6; i++) {
      await stuck(1);
      await until(() => heldBytes() - before < 2 * SCRAPE_BYTES + 8 * MEBIBYTE, 'two are held', SOON_MS);
    }
    const received = await Promise.all(sockets.slice(0, 4).map(closed));
    assert.ok(Math.max(...received) < SCRAPE_BYTES, 'the first were cut off');
    // one that reads has the whole, with the others standing
    const whole = await new Promise<number>((resolve, reject) => {
      get({ port, host: '127.0.0.1', path: '/metrics' }, (response) => {
        let bytes = 0;
        response.on('data', ({ length }: Buffer) => {
          bytes += length;
        });
        response.on('close', () => resolve(bytes));
      }).on('error', reject);
    });
    assert.equal(whole, SCRAPE_BYTES);
    for (const socket of sockets) socket.destroy();
    sockets = [];
    await until(() => heldBytes() - before < 8 * MEBIBYTE, 'nothing is held', SOON_MS);
  });
});
