/** A partner that answers in every way that a partner can, over HTTP/1, HTTP/2 in clear and HTTP/2 with TLS. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import { type AddressInfo, connect, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { FIXTURES } from './paths';
import { freePort } from './waiting';

type Request = http.IncomingMessage | http2.Http2ServerRequest;
type Response = http.ServerResponse;
type Behaviour = (response: Response, request: Request) => void;

const TLS = {
  key: readFileSync(join(FIXTURES, 'tls/partner.key.pem')),
  cert: readFileSync(join(FIXTURES, 'tls/partner.cert.pem')),
};
/** More than any client reads ahead. */
const LARGE = JSON.stringify({ code: 'L1', list: 'x'.repeat(1_000_000) });

const packed = (encoding: string, body: Buffer): Behaviour => {
  return (response) => {
    response.writeHead(200, { 'Content-Encoding': encoding, 'content-type': 'application/json' });
    response.end(body);
  };
};

/** Every connection that is open. */
const sockets = new Set<Socket>();

const BEHAVIOURS: Readonly<Record<string, Behaviour>> = {
  '/json': (response) => response.end('{"code":"A1"}'),
  '/errorcode': (response) => response.writeHead(500).end('{"errorCode":"E7"}'),
  '/text': (response) => response.end('all is well'),
  '/empty': (response) => response.writeHead(204).end(),
  '/gzip': packed('gzip', gzipSync('{"code":"G1"}')),
  '/br': packed('br', brotliCompressSync('{"code":"B1"}')),
  '/deflate': packed('deflate', deflateSync('{"code":"D1"}')),
  '/chunks': (response) => {
    const pieces = ['{"list":[{"code":"inner"}],', '"co', 'de":', '12', '34}'];
    const next = () => {
      const piece = pieces.shift();
      if (piece === undefined) response.end();
      else response.write(piece, () => setImmediate(next));
    };
    next();
  },
  '/hints': (response) => {
    response.writeEarlyHints({ link: '</style.css>; rel=preload' });
    response.end('{"code":"H1"}');
  },
  '/echo': (response, request) => {
    request.pipe(response as unknown as NodeJS.WritableStream);
  },
  '/large': (response) => response.end(LARGE),
  '/late': (response) => setTimeout(() => response.end('{"code":"A1"}'), 20),
  '/redirect': (response) => response.writeHead(302, { location: '/redirected' }).end('{"code":"R1"}'),
  '/redirected': (response) => response.writeHead(303, { location: '/json' }).end(),
  '/never': () => undefined,
  '/stall': (response) => {
    response.write('{"code":"S1",');
  },
  '/status-000': (_, request) =>
    connectionOf(request)?.end('HTTP/1.1 000 Odd\r\nContent-Length: 12\r\n\r\n{"code":"O"}'),
  '/hang-up': (_, request) => connectionOf(request)?.end(),
  '/reset': (_, request) => reset(request),
  '/reset-body': (response, request) => {
    response.writeHead(200, { 'content-length': '500' });
    response.write('{"code":"X1",', () => setTimeout(() => reset(request), 20));
  },
};

/** The connection itself: the socket that a request over HTTP/2 shows cannot be ended. */
function connectionOf(request: Request): Socket | undefined {
  const { remotePort } = request.socket;
  return [...sockets].find((socket) => socket.remotePort === remotePort);
}

/** Breaks the exchange off: the connection, or over HTTP/2 the stream. */
function reset(request: Request): void {
  if ('stream' in request) request.stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
  // under TLS Node does not pass a reset on
  else if ('encrypted' in request.socket) request.socket.destroy();
  else request.socket.resetAndDestroy();
}

export interface Partner {
  readonly http1: string;
  readonly http2: string;
  /** HTTP/2 with TLS, by a certificate that nobody knows; HTTP/1 as well. */
  readonly https: string;
  /** Nobody listens there. */
  readonly refused: string;
  /** A forward proxy that tunnels. */
  readonly proxy: string;
  /** Path of a partner file that has all but the proxy, each by a partner code of its own. */
  readonly file: string;
  close(): Promise<void>;
}

/** Starts it on free ports. */
export async function startPartner(): Promise<Partner> {
  const answer = (request: Request, response: unknown) => {
    const path = (request.url ?? '').replace(/\?.*$/, '');
    const behaviour = BEHAVIOURS[path] ?? ((it: Response) => it.writeHead(404).end());
    behaviour(response as Response, request);
  };
  const servers: Server[] = [
    http.createServer(answer),
    http2.createServer(answer),
    http2.createSecureServer({ ...TLS, allowHTTP1: true }, answer),
    tunnel(),
  ];
  for (const server of servers) {
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  const [port1, port2, port3, port4] = servers.map((server) => (server.address() as AddressInfo).port);
  const refused = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'partner-'));
  const file = join(folder, 'partners.json');
  const paths = { '/json': 'j', '/redirect': 'r', '/redirected': 's' };
  writeFileSync(
    file,
    JSON.stringify({
      hosts: {
        [`127.0.0.1:${port1}`]: { partner: 'http1', paths },
        [`127.0.0.1:${port2}`]: { partner: 'http2', paths },
        [`localhost:${port3}`]: { partner: 'https', paths },
        [`127.0.0.1:${refused}`]: { partner: 'refused', paths },
        'partner.invalid': { partner: 'dns', paths },
      },
    }),
  );
  return {
    http1: `http://127.0.0.1:${port1}`,
    http2: `http://127.0.0.1:${port2}`,
    https: `https://localhost:${port3}`,
    proxy: `http://127.0.0.1:${port4}`,
    refused: `http://127.0.0.1:${refused}`,
    file,
    async close() {
      rmSync(folder, { recursive: true });
      for (const server of servers) server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function tunnel(): http.Server {
  const proxy = http.createServer((request, response) => {
    const { hostname, port, pathname } = new URL(request.url ?? '');
    const onward = http.request({ hostname, port, path: pathname, method: request.method }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  proxy.on('connect', (request, socket: Socket) => {
    const [hostname, port] = (request.url ?? '').split(':');
    const onward = connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      onward.pipe(socket);
      socket.pipe(onward);
    });
    sockets.add(onward);
    onward.on('error', () => socket.destroy()).on('close', () => socket.destroy());
  });
  return proxy;
}
