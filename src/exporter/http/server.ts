/**
 * Serves the scrape on a port of its own, without ever keeping the process alive.
 */
import { EventEmitter } from 'node:events';
import { type IncomingMessage, Server, type ServerResponse, STATUS_CODES } from 'node:http';
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net';
import type { Scrape } from '../scrape';
import type { WebEndpoint } from '../web-config/endpoint';
import { answerScrape, type Reply, replyOver, replyText, requestPath } from './answer';
import { type Arriving, boundConnections } from './connections';
import { scraperOf } from './negotiate';
import { answerPage, PAGE_PATH, withDetails } from './page';
import { closePipelined, WITHOUT_PIPELINING } from './pipelining';
import { closeOnRequestTimeout, WITHOUT_CHECK } from './request-timeout';
import { StalledScrapers } from './stalled-scrapers';

export const METRICS_PATH = '/metrics';
const HEALTH_PATH = '/-/healthy';
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

type Emit = (event: string, ...args: unknown[]) => boolean;

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
  /** Path of the file that says how the port is protected. */
  readonly webConfigFile?: string | undefined;
  /** Whether the page for people is answered; absent: it is not. */
  readonly page?: boolean;
}

/** Creates a server that does not listen yet. */
export function createMetricsServer(scrape: Scrape, settings: ServerSettings): MetricsServer {
  const { page = false } = settings;
  const stalled = new StalledScrapers();
  const options = { maxHeaderSize: MAX_HEADER_BYTES, ...WITHOUT_CHECK, ...WITHOUT_PIPELINING };
  const server = new Server(options, (request, response) => {
    const serve = () => answer(request, response, scrape, { page, onWaiting: () => stalled.add(request.socket) });
    if (web === undefined) serve();
    else web.admit(request, response, serve);
  });
  const emitHere: Emit = (event, ...args) =>
    (event === 'connection' && web?.takes(args[0] as Socket)) || Reflect.apply(emit, server, [event, ...args]);
  // instrumentation replaces emit, on Server.prototype or on each server that it sees, and would trace every scrape;
  // an assignment is ignored and not refused, because the error would be thrown in the application
  Object.defineProperty(server, 'emit', { get: () => emitHere, set: () => undefined, configurable: true });
  closePipelined(server);
  const arriving = boundConnections(server);
  const web = openWebConfig(settings.webConfigFile, arriving, (socket) =>
    Reflect.apply(emit, server, ['connection', socket]),
  );
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
      return urlOf(server, settings, web?.isTls ? 'https' : 'http');
    },
    owns: (other) => other === server,
    listen: () =>
      new Promise((resolve) => {
        settle = resolve;
        const refused = web?.open();
        if (refused !== undefined) {
          resolve(refused);
          return;
        }
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
        web?.close();
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
  else if (path === HEALTH_PATH) answerHealth(request, reply);
  else if (page && path === PAGE_PATH) answerPage(request, reply);
  else replyText(reply, 404, `Nothing is here; the metrics are at ${METRICS_PATH}.`);
}

/** Says that the port is served, and nothing of the metrics. */
function answerHealth({ method }: IncomingMessage, reply: Reply): void {
  if (method === 'GET' || method === 'HEAD') replyText(reply, 200, 'Healthy');
  else replyText(reply, 405, `Only GET and HEAD are answered at ${HEALTH_PATH}.`, { Allow: 'GET, HEAD' });
}

/** Loaded where there is such a file. */
function openWebConfig(
  file: string | undefined,
  arriving: Arriving,
  serve: (socket: Socket) => void,
): WebEndpoint | undefined {
  if (file === undefined) return undefined;
  const { WebEndpoint }: typeof import('../web-config/endpoint') = require('../web-config/endpoint');
  return new WebEndpoint(file, arriving, serve);
}

function urlOf(server: Server, { port, host }: ServerSettings, scheme: 'http' | 'https'): string {
  const address = server.address() as AddressInfo | null;
  const name = host === undefined || host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `${scheme}://${name.includes(':') ? `[${name}]` : name}:${address?.port ?? port}${METRICS_PATH}`;
}
