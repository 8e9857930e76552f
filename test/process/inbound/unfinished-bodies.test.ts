/** What requests under way hold of an application's heap when their bodies come byte by byte and do not end. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type App, runApp } from '../../support/app';
import { FIXTURES } from '../../support/paths';

const APP = join(FIXTURES, 'apps/holding.js');
const REQUESTS = 8;
const BODY_BYTES = 48 * 1024;
/** What Node itself and the recorder hold for a connection with a request: 44 KiB in Node 26, 143,337 bytes with the body. */
const CONNECTION_BYTES = 64 * 1024;

const TYPES = ['application/x-www-form-urlencoded', 'multipart/form-data; boundary=XX', 'application/json'];

async function memory(app: App): Promise<{ bytes: number; bodyBytes: number }> {
  const response = await fetch(`http://127.0.0.1:${app.port}/memory`);
  return (await response.json()) as { bytes: number; bodyBytes: number };
}

/** Sends the head and a body of chunks of one byte, without their end. */
async function sendUnfinished(port: number, contentType: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const head = `POST /held HTTP/1.1\r\nHost: a\r\nContent-Type: ${contentType}\r\nTransfer-Encoding: chunked\r\n\r\n`;
  socket.write(head + '1\r\n[\r\n'.repeat(BODY_BYTES));
  return socket;
}

describe('a body in chunks of one byte that is left unfinished', () => {
  for (const contentType of TYPES) {
    it(`holds memory in proportion to its bytes: ${contentType}`, async () => {
      const app = await runApp(APP, { nodeArgs: ['--expose-gc', '-r', 'channel-exporter/register'] });
      const sockets: Socket[] = [];
      try {
        await memory(app);
        const before = await memory(app);
        for (let n = 0; n < REQUESTS; n++) sockets.push(await sendUnfinished(app.port, contentType));
        let after = await memory(app);
        while (after.bodyBytes < REQUESTS * BODY_BYTES) {
          await new Promise((resolve) => setTimeout(resolve, 50));
          after = await memory(app);
        }
        const perRequest = (after.bytes - before.bytes) / REQUESTS;
        assert.ok(perRequest < 2 * BODY_BYTES + CONNECTION_BYTES, `${Math.round(perRequest)} bytes a request`);
      } finally {
        for (const socket of sockets) socket.destroy();
        await app.stop();
      }
    });
  }
});
