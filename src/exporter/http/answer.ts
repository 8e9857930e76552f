/** Answers one request with the scrape: on our own server, and on the application's where it asks for that. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorText, warn } from '../../diagnostics/log';
import type { Scrape } from '../scrape';
import { formOf, VARY } from './negotiate';
import { send } from './send';

const PLAIN = 'text/plain; charset=utf-8';

/** Writes status, headers and body; the body is left out for HEAD. Does not throw. */
export type Reply = (status: number, headers: Readonly<Record<string, string>>, body: readonly Buffer[]) => void;

/** @param path as the message for other methods names it */
export function answerScrape(
  { method, headers }: Pick<IncomingMessage, 'method' | 'headers'>,
  path: string,
  scrape: Scrape,
  reply: Reply,
): void {
  if (method !== 'GET' && method !== 'HEAD') {
    replyText(reply, 405, `Only GET and HEAD are answered at ${path}.`, { Allow: 'GET, HEAD' });
    return;
  }
  scrape(formOf(headers)).then(
    (body) => reply(200, { ...body.headers, Vary: VARY }, body.chunks),
    (error) => {
      warn('CHX_COLLECT_FAILED', 'scrape', `a scrape was answered with 500: ${errorText(error)}`);
      replyText(reply, 500, 'The metrics could not be collected; the log of the service says why.');
    },
  );
}

/** Answers with one line for people to read. */
export function replyText(reply: Reply, status: number, line: string, headers: Readonly<Record<string, string>> = {}) {
  reply(status, { ...headers, 'Content-Type': PLAIN }, [Buffer.from(`${line}\n`)]);
}

/**
 * A reply over a response that nobody has answered yet; where somebody has, or the client has left, it is dropped.
 * @param onWaiting called when what was written may still have to wait for its reader
 */
export function replyOver(response: ServerResponse, onWaiting?: () => void): Reply {
  return (status, headers, body) => {
    if (response.headersSent || response.destroyed) return;
    send(response, response, status, headers, body, onWaiting);
  };
}

/** The path of a request for people to read. */
export function requestPath(request: IncomingMessage): string {
  return (request.url ?? '').replace(/[?#].*$/s, '');
}
