/** Answers one request with the scrape: on our own server, and on the application's where it asks for that. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorText, warn } from '../../diagnostics/log';
import { type Scrape, ScrapeUnavailable } from '../scrape';
import { formOf, scraperOf, VARY } from './negotiate';
import { send } from './send';

/** Another process serves the metrics by then. */
const RETRY_SECONDS = '5';
const PLAIN = 'text/plain; charset=utf-8';

/**
 * Writes status, headers and body; the body is left out for HEAD. Does not throw.
 * @param onTaken called when all of it has been taken
 */
export type Reply = (
  status: number,
  headers: Readonly<Record<string, string>>,
  body: readonly Buffer[],
  onTaken?: () => void,
) => void;

/** What an answer depends on. */
type Asked = Pick<IncomingMessage, 'method' | 'headers' | 'socket'>;

/**
 * Answers GET and HEAD with the scrape, other methods with 405, 503 where there is none, and 500 when collecting fails.
 * @param path named in the message for other methods
 */
export function answerScrape(request: Asked, path: string, scrape: Scrape, reply: Reply): void {
  const { method, headers } = request;
  if (method !== 'GET' && method !== 'HEAD') {
    replyText(reply, 405, `Only GET and HEAD are answered at ${path}.`, { Allow: 'GET, HEAD' });
    return;
  }
  // a head shows no series
  const scraper = method === 'GET' ? scraperOf(request) : undefined;
  scrape({ ...formOf(headers), scraper }).then(
    (body) => reply(200, { ...body.headers, Vary: VARY }, body.chunks, body.taken),
    (error) => {
      if (error instanceof ScrapeUnavailable) {
        warn('CHX_COLLECT_FAILED', 'scrape', `a scrape was answered with 503: ${error.message}`);
        replyText(reply, 503, `No metrics at the moment: ${error.message}.`, { 'Retry-After': RETRY_SECONDS });
        return;
      }
      warn('CHX_COLLECT_FAILED', 'scrape', `a scrape was answered with 500: ${errorText(error)}`);
      replyText(reply, 500, 'The metrics could not be collected; the log of the service says why.');
    },
  );
}

/** Answers with one line of plain text. */
export function replyText(reply: Reply, status: number, line: string, headers: Readonly<Record<string, string>> = {}) {
  reply(status, { ...headers, 'Content-Type': PLAIN }, [Buffer.from(`${line}\n`)]);
}

/**
 * @returns a reply that writes to the response, unless it is already answered or its client has disconnected
 * @param onWaiting called when bytes were written that the reader may not have taken yet
 */
export function replyOver(response: ServerResponse, onWaiting?: () => void): Reply {
  return (status, headers, body, onTaken) => {
    if (response.headersSent || response.destroyed) return;
    if (onTaken !== undefined) response.once('finish', onTaken);
    send(response, response, status, headers, body, onWaiting);
  };
}

/** The path of a request without query and fragment. */
export function requestPath(request: IncomingMessage): string {
  return (request.url ?? '').replace(/[?#].*$/s, '');
}
