/**
 * Serves the scrape on a port of its own, without ever keeping the process alive.
 */
import { EventEmitter } from 'node:events';
import { type IncomingMessage, Server, type ServerResponse, STATUS_CODES } from 'node:http';
import { type AddressInfo, Server as NetServer } from 'node:net';
import type { Scrape } from '../scrape';
import { answerScrape, replyOver, replyText, requestPath } from './answer';
import { boundConnections } from './connections';
import { scraperOf } from './negotiate';
import { answerPage, PAGE_PATH, withDetails } from './page';
import { closePipelined, WITHOUT_PIPELINING } from './pipelining';
import { closeOnRequestTimeout, WITHOUT_CHECK } from './request-timeout';
import { StalledScrapers } from './stalled-scrapers';

export const METRICS_PATH = '/metrics';
/** Time for a scraper to send its request; Prometheus gives up after 10 s by default. */
const REQUEST_TIMEOUT_MS = 10_000;
/** An idle socket is closed after this time, in any state; Node needs up to twice as long the first time. */
const IDLE_SOCKET_MS = 10_000;
/** A scraper that comes again is known by its connection, and may keep it for longer than others: some pause for minutes. */
const BETWEEN_SCRAPES_MS = 330_000;
/** A request with a larger head is answered with 400. */
const MAX_HEADER_BYTES = 16 * 1024;

// as they are before the application's instrumentation replaces them
const { emit } = EventEmitter.prototype;
const { listen } = NetServer.prototype;

export interface MetricsServer {
  /** URL of the scrape, empty where there is none; with port 0 and a host name it contains port 0 until the name is resolved. */
  readonly url: string;
  /** Whether a server is this one. */
  owns(server: unknown): boolean;
  /**
   * Tries once to bind the port. It is bound when this returns, unless a host name must be resolved first.
   * @returns the error; undefined when it listens
   */
  listen(): Promise<NodeJS.ErrnoException | undefined>;
  /** Stops listening, before it returns, and closes every connection; a listen() that has not ended gives EADDRINUSE. */
  close(): Promise<void>;
}

export interface ServerSettings {
  readonly port: number;
  readonly host: string | undefined;
  /** Whether the page for people is answered; absent: it is not. */
  readonly page?: boolean;
}

/** Creates a server that does not listen yet. */
export function createMetricsServer(scrape: Scrape, settings: ServerSettings): MetricsServer {
  const { page = false } = settings;
  const stalled = new StalledScrapers();
  const options = { maxHeaderSize: MAX_HEADER_BYTES, ...WITHOUT_CHECK, ...WITHOUT_PIPELINING };
  const server = new Server(options, (request, response) =>
    answer(request, response, scrape, { page, onWaiting: () => stalled.add(request.socket) }),
  );
  // instrumentation replaces emit, on Server.prototype or on each server that it sees, and would trace every scrape;
  // an assignment is ignored and not refused, because the error would be thrown in the application
  Object.defineProperty(server, 'emit', { get: () => emit, set: () => undefined, configurable: true });
  closePipelined(server);
  boundConnections(server);
  closeOnRequestTimeout(server, REQUEST_TIMEOUT_MS, (answered) =>
    scraperOf(answered) === undefined ? REQUEST_TIMEOUT_MS : BETWEEN_SCRAPES_MS,
  );
  server.timeout = IDLE_SOCKET_MS;
  server.on('connection', (socket) => socket.unref());
  server.on('clientError', (_error, socket) => {
    if (socket.writable)
      socket.end(`HTTP/1.1 400 ${STATUS_CODES[400]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    else socket.destroy();
  });

  /** Ends the last listen(). */
  let settle: (error?: NodeJS.ErrnoException) => void = () => undefined;
  server.on('error', (error) => settle(error));
  server.on('listening', () => settle());

  return {
    get url() {
      return urlOf(server, settings);
    },
    owns: (other) => other === server,
    listen: () =>
      new Promise((resolve) => {
        settle = resolve;
        // exclusive: cluster workers would share the port otherwise, and each scrape would hit another one
        const options = {
          port: settings.port,
          exclusive: true,
          ...(settings.host !== undefined && { host: settings.host }),
        };
        Reflect.apply(listen, server, [options]);
        server.unref();
      }),
    close: () =>
      new Promise((resolve) => {
        settle(Object.assign(new Error('closed before it listened'), { code: 'EADDRINUSE' }));
        if (!server.listening) resolve();
        else server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Stands in for the server where nothing is to be scraped: it opens no port, so that no process is another's member. */
export const NO_SERVER: MetricsServer = {
  url: '',
  owns: () => false,
  listen: async () => undefined,
  close: async () => undefined,
};

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  scrape: Scrape,
  { page, onWaiting }: { readonly page: boolean; readonly onWaiting: () => void },
): void {
  const path = requestPath(request);
  const reply = replyOver(response, onWaiting);
  if (path === METRICS_PATH) answerScrape(request, METRICS_PATH, page ? withDetails(request, scrape) : scrape, reply);
  else if (page && path === PAGE_PATH) answerPage(request, reply);
  else replyText(reply, 404, `Nothing is here; the metrics are at ${METRICS_PATH}.`);
}

function urlOf(server: Server, { port, host }: ServerSettings): string {
  const address = server.address() as AddressInfo | null;
  const name = host === undefined || host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${address?.port ?? port}${METRICS_PATH}`;
}
