/** A client that sends requests byte for byte and hands back the answer as it came over the wire. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** Caller of every request that does not name another. */
export const CALLER = 'client/1';

/** Between two pieces, so that they are likely to travel in segments of their own; nothing depends on it. */
const PAUSE_MS = 2;

export type Headers = Readonly<Record<string, string | number>>;

/** Composes a request; `Connection: close` unless the headers say otherwise. */
export function request(method: string, target: string, headers: Headers = {}, body: string | Buffer = ''): Buffer {
  const length =
    body.length === 0 || 'Transfer-Encoding' in headers ? {} : { 'Content-Length': Buffer.byteLength(body) };
  const all = { Host: 'localhost', 'User-Agent': CALLER, Connection: 'close', ...length, ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([
    Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1'),
    Buffer.from(body),
  ]);
}

export function get(target: string, headers?: Headers): Buffer {
  return request('GET', target, headers);
}

export function post(target: string, type: string, body: string | Buffer, headers: Headers = {}): Buffer {
  return request('POST', target, { 'Content-Type': type, ...headers }, body);
}

/** Opens a connection; `isTls` trusts any certificate. */
export async function open(port: number, isTls = false): Promise<Socket> {
  const socket = isTls
    ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
    : connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, isTls ? 'secureConnect' : 'connect');
  return socket;
}

/**
 * Sends pieces one after another and reads until the server closes.
 * @returns every byte that came
 */
export async function exchange(port: number, pieces: readonly Buffer[], isTls = false): Promise<Buffer> {
  const socket = await open(port, isTls);
  const received: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => received.push(chunk));
  // a server that does not want the rest of a body may reset the connection behind its answer
  socket.on('error', () => undefined);
  const closed = once(socket, 'close');
  for (const [index, piece] of pieces.entries()) {
    if (index > 0) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    socket.write(piece);
  }
  await closed;
  return Buffer.concat(received);
}

/** Sends a request, awaits the first bytes of an answer where there are any, and goes. */
export async function leave(
  port: number,
  bytes: Buffer,
  go: (socket: Socket) => void,
  awaitsAnswer = false,
): Promise<void> {
  const socket = await open(port);
  socket.on('error', () => undefined);
  socket.write(bytes);
  if (awaitsAnswer) await once(socket, 'readable');
  go(socket);
  socket.resume();
  await (socket.closed || once(socket, 'close'));
}

/** Cuts bytes into pieces of a length. */
export function pieces(bytes: Buffer, length: number): Buffer[] {
  const count = Math.ceil(bytes.length / length);
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * length, (i + 1) * length));
}

/** An answer without what differs from one second to the next. */
export function withoutDate(answer: Buffer): string {
  return answer.toString('latin1').replace(/^Date: .*\r\n/gm, '');
}
