/** A partner that answers with compressed bodies made to be expensive, and an application that answers with such. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { FIXTURES } from '../../support/paths';
import { request } from '../../support/raw-http';
import { type Attack, application, connecting } from '../attack';

const SLICED_BYTES = 8 * 1024;

const BOUNDS = { connections: 20 };
const ACCEPTED = { 'User-Agent': 'attacker/1', 'Accept-Encoding': 'gzip, br' };

/** Starts the partner for the life of this process. @returns its port */
export async function startHostilePartner(): Promise<number> {
  // random text stays as long when it is compressed
  const gzip = gzipSync(JSON.stringify({ rows: randomBytes(SLICED_BYTES).toString('latin1'), code: '0' }));
  const bomb = readFileSync(join(FIXTURES, 'attacks/bomb.br'));
  const sliced = Buffer.concat(
    Array.from(gzip, (byte) => Buffer.from([0x31, 0x0d, 0x0a, byte, 0x0d, 0x0a])).concat(Buffer.from('0\r\n\r\n')),
  );
  const server = createServer((incoming, response) => {
    incoming.resume();
    if (incoming.url === '/bomb') {
      response.writeHead(200, { 'Content-Encoding': 'br', 'Content-Type': 'application/json' }).end(bomb);
      return;
    }
    // chunks as they are on the wire
    incoming.socket.end(
      Buffer.concat([
        Buffer.from(
          'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n',
        ),
        sliced,
      ]),
    );
  });
  server.on('connection', (socket) => socket.on('error', () => undefined));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

const asking = (name: string, path: string, perSecond: number): Attack => {
  const bytes = request('GET', path, ACCEPTED);
  return connecting(name, { ...BOUNDS, perSecond }, application, (socket) => socket.write(bytes));
};

export const PARTNERS: readonly Attack[] = [
  asking('partner answers gzip in one-byte chunks', '/call/gzip', 2),
  asking('partner answers a brotli bomb of 64 MiB', '/call/bomb', 2),
  asking('application answers gzip', '/compressed/gzip', 5),
  asking('application answers a brotli bomb of 64 MiB', '/compressed/bomb', 2),
];
