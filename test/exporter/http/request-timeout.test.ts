import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { closeOnRequestTimeout, WITHOUT_CHECK } from '../../../src/exporter/http/request-timeout';

/** Long enough for a machine that is busy with other tests. */
const LIMIT_MS = 500;
const REQUEST = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
const ANSWER = /\r\n\r\nanswer$/;

describe('a connection to the scrape', () => {
  let server: Server;
  let client: Socket | undefined;

  before(async () => {
    server = createServer(WITHOUT_CHECK, (_request, response) => {
      setTimeout(() => response.end('answer'), 3 * LIMIT_MS);
    });
    closeOnRequestTimeout(server, LIMIT_MS, () => LIMIT_MS);
    await once(server.listen(0, '127.0.0.1'), 'listening');
  });
  after(() => {
    client?.destroy();
    server.close();
    server.closeAllConnections();
  });

  /** @returns what has been received since, and the end of the connection */
  async function open() {
    client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    let text = '';
    client.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
    client.on('error', () => undefined);
    const closed = once(client, 'close');
    await once(client, 'connect');
    const socket = client;
    return {
      socket,
      closed,
      async answered() {
        text = '';
        socket.write(REQUEST);
        const ended = closed.then(() => Promise.reject(new Error('closed before the answer')));
        while (!ANSWER.test(text)) await Promise.race([once(socket, 'data'), ended]);
      },
      /** Sends a head that never ends, byte by byte. */
      drip() {
        socket.write('GET / HTTP/1.1\r\nX: ');
        const timer = setInterval(() => socket.write('x'), LIMIT_MS / 10);
        void closed.then(() => clearInterval(timer));
      },
    };
  }

  it('is closed when no request comes', async () => {
    const { closed } = await open();
    await closed;
  });

  it('is closed when a head does not end, however lively it is', async () => {
    const { closed, drip } = await open();
    drip();
    await closed;
  });

  it('is not closed while an answer takes longer, nor before the next request', async () => {
    const { answered, socket } = await open();
    for (const _ of [1, 2]) await answered();
    assert.equal(socket.destroyed, false);
  });

  it('is closed after an answer when the next head does not end', async () => {
    const { answered, closed, drip } = await open();
    await answered();
    drip();
    await closed;
  });
});
