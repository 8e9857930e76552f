/**
 * Answers `/` with the page for people. It is one file, written at the build with the policy that names its script and
 * style by their hashes; it is read when it is first asked for. All that it shows it reads from `/metrics` itself.
 * @see docs/page.md
 */
import type { IncomingMessage } from 'node:http';
import { errorText, warn } from '../../diagnostics/log';
import type { Scrape } from '../scrape';
import { type Reply, replyText } from './answer';
import { gzipped } from './gzip';
import { formOf } from './negotiate';

export const PAGE_PATH = '/';

const DETAILS = 'details';

interface PageFile {
  /** The value of Content-Security-Policy. */
  readonly policy: string;
  readonly html: string;
}

/** Both forms, some 60 kB together. */
interface Page {
  readonly headers: Readonly<Record<string, string>>;
  readonly plain: Buffer;
  readonly compressed: readonly Buffer[];
}

/** Undefined until it is asked for, and after it could not be read. */
let read: Promise<Page> | undefined;

/** Answers GET and HEAD with the page, other methods with 405. */
export function answerPage({ method, headers }: IncomingMessage, reply: Reply): void {
  if (method !== 'GET' && method !== 'HEAD') {
    replyText(reply, 405, `Only GET and HEAD are answered at ${PAGE_PATH}.`, { Allow: 'GET, HEAD' });
    return;
  }
  read ??= readPage();
  read.then(
    (page) => {
      if (!formOf(headers).isCompressed) reply(200, page.headers, [page.plain]);
      else reply(200, { ...page.headers, 'Content-Encoding': 'gzip' }, page.compressed);
    },
    (error) => {
      read = undefined;
      warn('CHX_PAGE_FAILED', 'page', `the page was answered with 500: ${errorText(error)}`);
      replyText(reply, 500, 'The page could not be read; the log of the service says why.');
    },
  );
}

/** @returns the scrape, with the families for people where the query has `details` */
export function withDetails({ url = '' }: IncomingMessage, scrape: Scrape): Scrape {
  const at = url.indexOf('?');
  const isAsked =
    at >= 0 &&
    url
      .slice(at + 1)
      .split('&')
      .includes(DETAILS);
  return isAsked ? (form) => scrape({ ...form, hasDetails: true }) : scrape;
}

async function readPage(): Promise<Page> {
  const { readFile }: typeof import('node:fs/promises') = require('node:fs/promises');
  const { policy, html }: PageFile = JSON.parse(await readFile(`${__dirname}/../../page/page.json`, 'utf8'));
  const plain = Buffer.from(html);
  const headers = {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': policy,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    // another version of the package has another page
    'Cache-Control': 'no-cache',
    Vary: 'Accept-Encoding',
  };
  return { headers, plain, compressed: await gzipped(once(plain)) };
}

async function* once(chunk: Buffer): AsyncGenerator<Buffer> {
  yield chunk;
}
