/**
 * A partner over HTTP, HTTPS and a Unix socket, which answers as the first segment of the path says and keeps what it
 * received byte for byte.
 */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import zlib from 'node:zlib';
import { FIXTURES } from './paths';

/** Where an application finds the partner. */
export interface PartnerAddresses {
  readonly port: number;
  readonly tlsPort: number;
  readonly socketPath: string;
}

type Answer = (response: http.ServerResponse, request: http.IncomingMessage, attempt: number) => void;

const JSON_BODY = '{"code":"0"}';
/** A body that no socket buffer takes whole. */
const LARGE_BYTES = 16 * 1024 * 1024;
const SLOW_MS = 300;
/** Of the event loop, before all has been accepted and read that has been sent. */
const TURNS = 5;

const large = Buffer.from(`{"code":"0","rows":"${'x'.repeat(LARGE_BYTES)}"}`);
const split = Buffer.from('{"text":"汉字","code":"好"}');
/** The zstd frame of a short text in one block that is not compressed; Node 20 cannot pack it. */
const zstd = Buffer.concat([
  Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, JSON_BODY.length, (JSON_BODY.length << 3) | 1, 0, 0]),
  Buffer.from(JSON_BODY),
]);

const packed =
  (encoding: string, body: Buffer): Answer =>
  (response) =>
    response.setHeader('content-encoding', encoding).end(body);
const status =
  (code: number): Answer =>
  (response) => {
    response.statusCode = code;
    response.end(code === 204 || code === 304 ? undefined : '{"errorCode":"E1"}');
  };
/** Writes each piece when the one before has left. */
const pieces =
  (...parts: Buffer[]): ((response: http.ServerResponse) => void) =>
  (response) => {
    const [first, ...others] = parts;
    if (first === undefined) response.end();
    else response.write(first, () => setTimeout(pieces(...others), 5, response));
  };

const ANSWERS: Readonly<Record<string, Answer>> = {
  json: (response) => response.end(JSON_BODY),
  // leaves the connection open
  keep: (response) => {
    response.shouldKeepAlive = true;
    response.end(JSON_BODY);
  },
  text: (response) => response.end('no JSON'),
  chunked: pieces(Buffer.from('{"co'), Buffer.from('de":"4'), Buffer.from('2"}')),
  split: pieces(split.subarray(0, 10), split.subarray(10, 27), split.subarray(27)),
  gzip: packed('gzip', zlib.gzipSync(JSON_BODY)),
  deflate: packed('deflate', zlib.deflateSync(JSON_BODY)),
  br: packed('br', zlib.brotliCompressSync(JSON_BODY)),
  zstd: packed('zstd', zstd),
  broken: packed('gzip', Buffer.from('not packed')),
  large: (response) => response.end(large),
  trailers: (response) => {
    response.writeHead(200, { trailer: 'x-sum' });
    response.write(JSON_BODY);
    response.addTrailers({ 'x-sum': '1' });
    response.end();
  },
  s204: status(204),
  s304: status(304),
  s404: status(404),
  s500: status(500),
  // the statuses are no HTTP, but node:http takes them
  s000: (response) => response.socket?.end('HTTP/1.1 000 Odd\r\nContent-Length: 12\r\n\r\n{"code":"O"}'),
  s099: (response) => response.socket?.end('HTTP/1.1 099 Odd\r\nContent-Length: 12\r\n\r\n{"code":"O"}'),
  informational: (response) => {
    response.writeProcessing();
    response.writeEarlyHints({ link: '</a.css>; rel=preload' }, () => response.end(JSON_BODY));
  },
  redirect: (response, request) => {
    response.writeHead(302, { location: (request.url as string).replace('redirect', 'moved') }).end();
  },
  moved: (response, request) => {
    response.writeHead(307, { location: (request.url as string).replace('moved', 'json') }).end();
  },
  flaky: (response, _request, attempt) => {
    if (attempt < 3) response.statusCode = 503;
    response.end(`{"code":"${attempt}"}`);
  },
  slow: (response) => setTimeout(() => response.end(JSON_BODY), SLOW_MS),
  hang: () => undefined,
  // the head and a piece of the body, and no more
  stuck: (response) => response.writeHead(200, { 'content-length': 100 }).write('{"code":"0",'),
  half: (response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('{"code":"0",', () => response.socket?.destroy());
  },
  reset: (response) => (response.socket as Socket).resetAndDestroy(),
  close: (response) => response.socket?.end(),
  garbage: (response) => response.socket?.end('this is no HTTP\r\n\r\n'),
};

export class Partner {
  private connections: Buffer[][] = [];
  private readonly open = new Set<Socket>();
  private attempts = new Map<string, number>();

  private constructor(
    private readonly servers: readonly http.Server[],
    private readonly folder: string,
    readonly addresses: PartnerAddresses,
  ) {
    const [plain, secure, local] = servers;
    for (const server of [plain, local]) server?.on('connection', (socket) => this.listenTo(socket));
    secure?.on('secureConnection', (socket) => this.listenTo(socket));
    for (const server of servers) {
      server.on('connection', (socket) => {
        this.open.add(socket);
        socket.on('close', () => this.open.delete(socket));
      });
      server.on('request', (request, response) => this.answer(request, response));
      server.on('upgrade', (_request, socket: Duplex) => {
        socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\nhello');
      });
      server.on('connect', (_request, socket: Duplex) => socket.end('HTTP/1.1 200 OK\r\n\r\nhello'));
    }
  }

  static async start(): Promise<Partner> {
    const folder = mkdtempSync(join(tmpdir(), 'channel-exporter-'));
    const socketPath = join(folder, 'partner.sock');
    const tls = ['key', 'crt'].map((kind) => readFileSync(join(FIXTURES, `tls/partner.${kind}`)));
    const plain = http.createServer({ requireHostHeader: false });
    const secure = https.createServer({ key: tls[0], cert: tls[1] });
    const local = http.createServer({ requireHostHeader: false });
    await listening(plain, () => plain.listen(0, '127.0.0.1'));
    await listening(secure, () => secure.listen(0, '127.0.0.1'));
    await listening(local, () => local.listen(socketPath));
    const port = (server: Server) => (server.address() as AddressInfo).port;
    return new Partner([plain, secure, local], folder, { port: port(plain), tlsPort: port(secure), socketPath });
  }

  /**
   * What has been received since the last call, one text a connection, in the order of their first bytes. Waits until
   * every connection is closed: a program can be done before this process has read what it sent.
   */
  async received(): Promise<string[]> {
    // one turn takes the connections that wait to be accepted, the next ones what they have sent
    for (let turn = 0; turn < TURNS; turn++) await setImmediate();
    await Promise.all([...this.open].map((socket) => new Promise((resolve) => socket.once('close', resolve))));
    const texts = this.connections
      .filter((parts) => parts.length > 0)
      .map((parts) => Buffer.concat(parts).toString('latin1'));
    this.connections = [];
    this.attempts = new Map();
    return texts;
  }

  stop(): void {
    for (const server of this.servers) {
      server.close();
      server.closeAllConnections();
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  private listenTo(socket: Duplex): void {
    const parts: Buffer[] = [];
    const connections = this.connections;
    socket.on('data', (bytes: Buffer) => {
      if (parts.length === 0) connections.push(parts);
      parts.push(bytes);
    });
    socket.on('error', () => undefined);
  }

  private answer(request: http.IncomingMessage, response: http.ServerResponse): void {
    const target = (request.url as string).replace(/^http:\/\/[^/]*/, '');
    const name = target.split(/[/?#]/)[1] as string;
    const attempt = (this.attempts.get(target) ?? 0) + 1;
    this.attempts.set(target, attempt);
    response.sendDate = false;
    response.shouldKeepAlive = false;
    request.resume();
    request.on('error', () => undefined);
    request.on('end', () => (ANSWERS[name] ?? status(404))(response, request, attempt));
  }
}

async function listening(server: Server, listen: () => void): Promise<void> {
  listen();
  await once(server, 'listening');
}
