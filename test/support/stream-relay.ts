/**
 * Stands between a client of RabbitMQ's streams and a broker that is older than today's clients, Debian's RabbitMQ 3.10,
 * and puts right what they would break off at; everything else is relayed as it is.
 *
 * The broker closes a connection on which it is asked for the versions of its commands, as all are from 3.11 on: they are
 * told in its place that it has none to tell. Its answer with the partitions of a super stream is not marked as one.
 */
import { once } from 'node:events';
import { createServer, type Socket, connect as tcpConnect } from 'node:net';

const PARTITIONS = 0x0019;
const EXCHANGE_COMMAND_VERSIONS = 0x001b;
const IS_RESPONSE = 0x8000;
const VERSION = 1;
const OK = 1;
/** After the length of what follows. */
const KEY_OFFSET = 4;
/** Length, key, version, correlation. */
const HEADER_BYTES = 12;

/** @returns a function that ends it */
export async function startStreamRelay(port: number, brokerPort: number): Promise<() => void> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const broker = tcpConnect({ port: brokerPort, host: '127.0.0.1' });
    for (const [socket, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    eachFrame(client, (frame) => {
      if (frame.readUInt16BE(KEY_OFFSET) === EXCHANGE_COMMAND_VERSIONS) client.write(noVersions(frame));
      else broker.write(frame);
    });
    eachFrame(broker, (frame) => {
      if (frame.readUInt16BE(KEY_OFFSET) === PARTITIONS) frame.writeUInt16BE(IS_RESPONSE | PARTITIONS, KEY_OFFSET);
      client.write(frame);
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
}

function eachFrame(socket: Socket, work: (frame: Buffer) => void): void {
  let rest = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= KEY_OFFSET && rest.length >= KEY_OFFSET + rest.readUInt32BE(0)) {
      const frame = rest.subarray(0, KEY_OFFSET + rest.readUInt32BE(0));
      rest = rest.subarray(frame.length);
      work(frame);
    }
  });
}

function noVersions(request: Buffer): Buffer {
  const response = Buffer.alloc(HEADER_BYTES + 6);
  response.writeUInt32BE(response.length - 4, 0);
  response.writeUInt16BE(IS_RESPONSE | EXCHANGE_COMMAND_VERSIONS, 4);
  response.writeUInt16BE(VERSION, 6);
  request.copy(response, 8, 8, HEADER_BYTES);
  response.writeUInt16BE(OK, HEADER_BYTES);
  return response;
}
