/**
 * Stands between a client of Kafka and librdkafka's cluster for tests, which offers version 4 and 5 of ListOffsets and
 * leaves a field out of their answers: the offer ends at version 3. Addresses that the cluster tells lead here, because
 * clients ask for the offer on every connection. Everything else is relayed as it is.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket, connect as tcpConnect } from 'node:net';

const LIST_OFFSETS = 2;
const METADATA = 3;
const FIND_COORDINATOR = 10;
const API_VERSIONS = 18;
const LAST_LIST_OFFSETS = 3;
/** From this version on it is encoded in another way; the cluster refuses it, in the old way. */
const FIRST_COMPACT = 3;
const HOST = Buffer.from('127.0.0.1');

export interface KafkaRelay {
  readonly port: number;
  stop(): void;
}

export async function startKafkaRelay(brokerPort: number): Promise<KafkaRelay> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const broker = tcpConnect({ port: brokerPort, host: '127.0.0.1' });
    for (const [socket, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      sockets.add(socket.setNoDelay());
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    const asked = new Map<number, { readonly api: number; readonly version: number }>();
    eachFrame(client, (frame) => {
      asked.set(frame.readInt32BE(8), { api: frame.readInt16BE(4), version: frame.readInt16BE(6) });
      broker.write(frame);
    });
    eachFrame(broker, (frame) => {
      const { api, version } = asked.get(frame.readInt32BE(4)) ?? {};
      asked.delete(frame.readInt32BE(4));
      if (api === API_VERSIONS && version !== undefined && version < FIRST_COMPACT) limitOffer(frame);
      if (api === METADATA || api === FIND_COORDINATOR) redirect(frame, brokerPort, port);
      client.write(frame);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** After length, correlation and error: a number of rows of key, first and last version. */
function limitOffer(frame: Buffer): void {
  const rows = frame.readInt32BE(10);
  for (let row = 0, at = 14; row < rows; row++, at += 6) {
    if (frame.readInt16BE(at) === LIST_OFFSETS) frame.writeInt16BE(LAST_LIST_OFFSETS, at + 4);
  }
}

/** A host is followed by its port. */
function redirect(frame: Buffer, from: number, to: number): void {
  for (let at = frame.indexOf(HOST); at !== -1; at = frame.indexOf(HOST, at + HOST.length)) {
    const place = at + HOST.length;
    if (frame.length >= place + 4 && frame.readInt32BE(place) === from) frame.writeInt32BE(to, place);
  }
}

function eachFrame(socket: Socket, work: (frame: Buffer) => void): void {
  let rest = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE(0)) {
      const frame = rest.subarray(0, 4 + rest.readUInt32BE(0));
      rest = rest.subarray(frame.length);
      work(frame);
    }
  });
}
