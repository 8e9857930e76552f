/**
 * Serves the scrape on a port of its own, without ever keeping the process alive.
 */
import { EventEmitter } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Scrape } from '../scrape';
import { answerScrape, replyOver, replyText, requestPath } from './answer';
import { closeOnRequestTimeout, WITHOUT_CHECK } from './request-timeout';
import { StalledScrapers } from './stalled-scrapers';

export const METRICS_PATH = '/metrics';
/** Time for a scraper to send its request; Prometheus gives up after 10 s by default. */
const REQUEST_TIMEOUT_MS = 10_000;
/** An idle socket is closed after this time, in any state; Node needs up to twice as long the first time. */
const IDLE_SOCKET_MS = 10_000;
/** Connections at a time; further ones are closed. */
const MAX_CONNECTIONS = 64;
/** A request with a larger head is answered with 400. */
const MAX_HEADER_BYTES = 16 * 1024;

export interface MetricsServer {
  /** URL of the scrape; with port 0 and a host name it contains port 0 until the name is resolved. */
  readonly url: string;
  /** Whether a request belongs to this server. */
  owns(server: unknown): boolean;
  /**
   * Tries once to bind the port. It is bound when this returns, unless a host name must be resolved first.
   * @returns the error; undefined when it listens
   */
  listen(): Promise<NodeJS.ErrnoException | undefined>;
  /** Stops listening and closes every connection. */
  close(): Promise<void>;
}

export interface ServerSettings {
  readonly port: number;
  readonly host: string | undefined;
}

/** Creates a server that does not listen yet. */
export function createMetricsServer(scrape: Scrape, settings: ServerSettings): MetricsServer {
  const stalled = new StalledScrapers();
  const limits = { maxHeaderSize: MAX_HEADER_BYTES, ...WITHOUT_CHECK };
  const server = createServer(limits, (request, response) =>
    answer(request, response, scrape, () => stalled.add(request.socket)),
  );
  // an application's instrumentation patches Server.prototype.emit and would trace every scrape
  server.emit = EventEmitter.prototype.emit;
  closeOnRequestTimeout(server, REQUEST_TIMEOUT_MS);
  server.maxConnections = MAX_CONNECTIONS;
  server.timeout = IDLE_SOCKET_MS;
  server.on('connection', (socket) => socket.unref());
  server.on('clientError', (_error, socket) => {
    if (socket.writable)
      socket.end(`HTTP/1.1 400 ${STATUS_CODES[400]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    else socket.destroy();
  });

  return {
    get url() {
      return urlOf(server, settings);
    },
    owns: (other) => other === server,
    listen: () =>
      new Promise((resolve) => {
        const onError = (error: NodeJS.ErrnoException) => {
          server.off('listening', onListening);
          resolve(error);
        };
        const onListening = () => {
          server.off('error', onError);
          server.on('error', () => undefined);
          resolve(undefined);
        };
        server.once('error', onError);
        server.once('listening', onListening);
        // exclusive: cluster workers would share the port otherwise, and each scrape would hit another one
        server.listen({
          port: settings.port,
          ...(settings.host === undefined ? {} : { host: settings.host }),
          exclusive: true,
        });
        server.unref();
      }),
    close: () =>
      new Promise((resolve) => {
        server.removeAllListeners('error');
        server.on('error', () => undefined);
        if (!server.listening) resolve();
        else server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(request: IncomingMessage, response: ServerResponse, scrape: Scrape, onWaiting: () => void): void {
  const path = requestPath(request);
  const reply = replyOver(response, onWaiting);
  if (path === METRICS_PATH) answerScrape(request, METRICS_PATH, scrape, reply);
  else replyText(reply, 404, `Nothing is here; the metrics are at ${METRICS_PATH}.`);
}

function urlOf(server: Server, { port, host }: ServerSettings): string {
  const address = server.address() as AddressInfo | null;
  const name = host === undefined || host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${address?.port ?? port}${METRICS_PATH}`;
}
