/**
 * Answers the scrape on the application's own port, where the application itself would answer 404.
 *
 * Only responses to GET and HEAD of that one path are changed: when the application sends a 404, its head and body are
 * dropped and the scrape is sent instead. Any other request costs one string comparison.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { ServerResponse, STATUS_CODES } from 'node:http';
import { REQUEST_START, type RequestStart } from '../../instrumentations/patching/request-start';
import type { Scrape } from '../scrape';
import { answerScrape, type Reply } from './answer';
import { send } from './send';

const STATUS_NOT_FOUND = 404;

type Method = (this: ServerResponse, ...args: unknown[]) => unknown;

export interface ApplicationPort {
  /** Whether a server is the exporter's. */
  isOwnServer(server: unknown): boolean;
  /** Called when a response is taken over: it is no response of the application any more. */
  onTaken(response: ServerResponse): void;
}

/**
 * @param path exact, without query
 * @returns a function that stops it
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

/**
 * Replaces the methods that may send the head, on this response alone; later patches wrap ours as they would the
 * original.
 */
function takeOver404(response: ServerResponse, onTaken: () => void, answer: (reply: Reply) => void): void {
  const real = ServerResponse.prototype;
  let isTaken = false;
  const isNotFound = (status: unknown) => !response.headersSent && status === STATUS_NOT_FOUND;

  const take = () => {
    isTaken = true;
    onTaken();
    answer((status, headers, body, onTaken) => {
      if (response.destroyed) return;
      if (onTaken !== undefined) response.once('finish', onTaken);
      // the headers of the application's 404
      for (const name of response.getHeaderNames()) response.removeHeader(name);
      response.statusMessage = STATUS_CODES[status] as string;
      send(response, real, status, headers, body);
    });
  };
  const replace = (name: 'writeHead' | 'write' | 'end' | 'flushHeaders', discard: Method) => {
    Object.defineProperty(response, name, {
      value(this: ServerResponse, ...args: unknown[]) {
        if (!isTaken && isNotFound(name === 'writeHead' ? args[0] : response.statusCode)) take();
        if (isTaken) return discard.apply(response, args);
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
