/**
 * Answers the scrape on the application's own port, where the application itself would answer 404.
 *
 * Only the response to GET or HEAD of that one path is touched: when it is about to become a 404, its head and body
 * are dropped and the scrape takes their place. Every other request costs a comparison.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type IncomingMessage, ServerResponse, STATUS_CODES } from 'node:http';
import type { Scrape } from '../scrape';
import { answerScrape, type Reply } from './answer';
import { send } from './send';

const REQUEST_START = 'http.server.request.start';
const STATUS_NOT_FOUND = 404;

interface RequestStart {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly server: unknown;
}

type Method = (this: ServerResponse, ...args: unknown[]) => unknown;

export interface ApplicationPort {
  /** Whether a server is the exporter's. */
  isOwnServer(server: unknown): boolean;
  /** Called when a response is taken over: it is no response of the application any more. */
  onTaken(response: ServerResponse): void;
}

/**
 * @param path exact, without query
 * @returns a function that ends it
 */
export function answerOnApplication(
  path: string,
  scrape: Scrape,
  { isOwnServer, onTaken }: ApplicationPort,
): () => void {
  const onStart = (message: unknown) => {
    const { request, response, server } = message as RequestStart;
    const { url = '', method } = request;
    if (!url.startsWith(path) || (url.length > path.length && url[path.length] !== '?')) return;
    if ((method !== 'GET' && method !== 'HEAD') || isOwnServer(server)) return;
    takeOver404(
      response,
      () => onTaken(response),
      (reply) => answerScrape(request, path, scrape, reply),
    );
  };
  subscribe(REQUEST_START, onStart);
  return () => unsubscribe(REQUEST_START, onStart);
}

/** Each method that may send the head, on this response alone; whoever patches later is above and sees no difference. */
function takeOver404(response: ServerResponse, onTaken: () => void, answer: (reply: Reply) => void): void {
  const real = ServerResponse.prototype;
  let isTaken = false;
  const isNotFound = (status: unknown) => !response.headersSent && status === STATUS_NOT_FOUND;

  const take = () => {
    isTaken = true;
    onTaken();
    answer((status, headers, body) => {
      if (response.destroyed) return;
      // what the application had in mind for its 404
      for (const name of response.getHeaderNames()) response.removeHeader(name);
      response.statusMessage = STATUS_CODES[status] as string;
      send(response, real, status, headers, body);
    });
  };
  const replace = (name: 'writeHead' | 'write' | 'end' | 'flushHeaders', swallow: Method) => {
    Object.defineProperty(response, name, {
      value(this: ServerResponse, ...args: unknown[]) {
        if (!isTaken && isNotFound(name === 'writeHead' ? args[0] : response.statusCode)) take();
        if (isTaken) return swallow.apply(response, args);
        return (real[name] as Method).apply(response, args);
      },
      writable: true,
      configurable: true,
      enumerable: false,
    });
  };

  replace('writeHead', () => response);
  replace('flushHeaders', () => undefined);
  replace('write', (...args) => {
    callBack(args, (callback) => process.nextTick(callback));
    return true;
  });
  replace('end', (...args) => {
    callBack(args, (callback) => {
      if (response.writableFinished) process.nextTick(callback);
      else response.once('finish', callback);
    });
    return response;
  });
}

function callBack(args: readonly unknown[], call: (callback: () => void) => void): void {
  const callback = args.find((arg) => typeof arg === 'function');
  if (callback !== undefined) call(callback as () => void);
}
