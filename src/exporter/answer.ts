/** Answers one request with the scrape: on our own server, and on the application's where it asks for that. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorText, warn } from '../diagnostics/log';
import type { Scrape } from './scrape';
import { CONTENT_TYPES } from './text';

export const PLAIN = 'text/plain; charset=utf-8';

/** Writes status, headers and body; the body is left out for HEAD by Node itself. */
export type Reply = (status: number, text: string, headers: Record<string, string>) => void;

/**
 * @param path as the message for other methods names it
 * @param reply must not throw
 * @param onWritten called when the metrics were handed to the response
 */
export function answerScrape(
  method: string | undefined,
  path: string,
  scrape: Scrape,
  reply: Reply,
  onWritten: () => void = () => undefined,
): void {
  if (method !== 'GET' && method !== 'HEAD') {
    reply(405, `Only GET and HEAD are answered at ${path}.\n`, { Allow: 'GET, HEAD', 'Content-Type': PLAIN });
    return;
  }
  scrape().then(
    (text) => {
      reply(200, text, { 'Content-Type': CONTENT_TYPES.text });
      onWritten();
    },
    (error) => {
      warn('CHX_COLLECT_FAILED', 'scrape', `a scrape was answered with 500: ${errorText(error)}`);
      reply(500, 'The metrics could not be collected; the log of the service says why.\n', { 'Content-Type': PLAIN });
    },
  );
}

/** A reply over a response that nobody has answered yet; where somebody has, or the client has left, it is dropped. */
export function replyOver(response: ServerResponse): Reply {
  return (status, text, headers) => {
    if (response.headersSent || response.destroyed) return;
    const body = Buffer.from(text);
    response.writeHead(status, { ...headers, 'Content-Length': body.length });
    response.end(body);
  };
}

/** The path of a request for people to read. */
export function requestPath(request: IncomingMessage): string {
  return (request.url ?? '').replace(/[?#].*$/s, '');
}
