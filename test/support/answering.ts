/** A server that gives every request the same answer, over every version of HTTP, and every CONNECT a tunnel to itself. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import { type AddressInfo, connect, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { FIXTURES } from './paths';

const ANSWER = '{"code":"0"}';
const TLS = {
  key: readFileSync(`${FIXTURES}/tls/partner.key.pem`),
  cert: readFileSync(`${FIXTURES}/tls/partner.cert.pem`),
};

export interface AnsweringServer {
  readonly http1: number;
  readonly http2: number;
  /** With TLS: HTTP/2 and HTTP/1. */
  readonly secure: number;
  close(): void;
}

/** Starts it on free ports. */
export async function startAnswering(): Promise<AnsweringServer> {
  const settings = { enableConnectProtocol: true };
  const servers: Server[] = [
    http.createServer(),
    http2.createServer({ settings }),
    http2.createSecureServer({ ...TLS, settings, allowHTTP1: true }),
  ];
  const sockets = new Set<Duplex>();
  const ports: number[] = [];
  for (const server of servers) {
    server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => undefined)));
    server.on('request', (_request: unknown, response: http.ServerResponse) => response.end(ANSWER));
    server.on('connect', (request: http.IncomingMessage | http2.Http2ServerRequest, answer: unknown) => {
      // a stream of HTTP/2 is left open
      if ('stream' in request) request.stream.respond({ ':status': 200 });
      else openTunnel(answer as Duplex, ports[0] as number);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ports.push((server.address() as AddressInfo).port);
  }
  const [http1 = 0, http2Port = 0, secure = 0] = ports;
  return {
    http1,
    http2: http2Port,
    secure,
    close() {
      for (const server of servers) server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function openTunnel(socket: Duplex, port: number): void {
  const onward = connect(port, '127.0.0.1', () => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    onward.pipe(socket);
    socket.pipe(onward);
  });
  onward.on('error', () => socket.destroy()).on('close', () => socket.destroy());
  socket.on('error', () => undefined).on('close', () => onward.destroy());
}
