/**
 * A member answers a scrape on its application's own port with the service's: it asks the hub for it, over a connection
 * of its own to the hub's socket.
 *
 *   member                        hub
 *   scrape, with the form ────▶
 *          ◀──────────────────── scraped, with headers and length, or unscraped, with the reason
 *          ◀──────────────────── the bytes, as they are
 *
 * Of one process one scrape is under way at a time, and simultaneous ones of the same form are one. Both sides limit the
 * time, and the member the bytes.
 */
import type { Socket } from 'node:net';
import { errorText } from '../diagnostics/log';
import { connectUntraced, mayListen } from './hub-connect';
import { encodeFrame, FrameDecoder, type HubMessage, hubMessage, type ScrapeRequest } from './protocol';

/** What is asked for, and the answer, as the exporter has them. */
export type ScrapeForm = ScrapeRequest['form'];
export interface ScrapeBody {
  readonly headers: Readonly<Record<string, string>>;
  readonly chunks: readonly Buffer[];
}
export type Scrape = (form: ScrapeForm) => Promise<ScrapeBody>;

/** From the question to the last byte: the reason is to arrive before Prometheus gives up, after 10 s by default. */
const LIMIT_MS = 8_000;
/** Of one answer; a service with all its families full has some 150 MB. */
const MAX_BYTES = 256 * 1024 * 1024;
const LENGTH_BYTES = 4;
const MAX_HEAD_BYTES = 1_024;

/** The hub's side: answers with the scrape, and ends the connection. Does not reject. */
export async function sendScrape(socket: Socket, form: ScrapeForm, scrape: Scrape): Promise<void> {
  const limit = setTimeout(() => socket.destroy(), LIMIT_MS).unref();
  socket.once('close', () => clearTimeout(limit));
  try {
    const { headers, chunks } = await scrape(form);
    const bytes = chunks.reduce((sum, { length }) => sum + length, 0);
    socket.write(encodeFrame({ type: 'scraped', headers, bytes }));
    for (const chunk of chunks) {
      if (socket.destroyed) return;
      if (!socket.write(chunk)) await drained(socket);
    }
    socket.end();
  } catch (error) {
    socket.end(encodeFrame({ type: 'unscraped', reason: errorText(error).slice(0, MAX_HEAD_BYTES / 4) }));
  }
}

/** Resolves when the peer has read on, or is gone. */
function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  });
}

/** The member's side. */
export class ScrapeFetcher {
  private readonly asked = new Map<string, Promise<ScrapeBody>>();
  private last: Promise<unknown> = Promise.resolve();

  /** @param request without the form */
  constructor(private readonly request: Omit<ScrapeRequest, 'form'>) {}

  /** @returns the scrape of the hub that listens at a path; rejects with the reason why there is none */
  fetch(path: string, form: ScrapeForm): Promise<ScrapeBody> {
    const key = `${path} ${form.format} ${form.isCompressed}`;
    let body = this.asked.get(key);
    if (body === undefined) {
      body = this.last.then(() => fetchOnce(path, { ...this.request, form }));
      this.asked.set(key, body);
      const last = body.catch(() => undefined).then(() => this.asked.delete(key));
      this.last = last;
    }
    return body;
  }
}

function fetchOnce(path: string, request: ScrapeRequest): Promise<ScrapeBody> {
  return new Promise((resolve, reject) => {
    if (!mayListen(path)) {
      reject(new Error('the process that serves the metrics has ended'));
      return;
    }
    const socket = connectUntraced(path);
    socket.unref();
    const answer = new Answer();
    const settle = (error?: Error) => {
      clearTimeout(limit);
      socket.destroy();
      if (error === undefined) resolve(answer.body());
      else reject(error);
    };
    const limit = setTimeout(() => settle(new Error(`no answer within ${LIMIT_MS / 1000} s`)), LIMIT_MS).unref();
    socket.on('error', settle);
    socket.on('close', () => settle(new Error('the connection was closed before the whole scrape was there')));
    socket.on('connect', () => socket.write(encodeFrame(request)));
    socket.on('data', (bytes) => {
      try {
        if (answer.add(bytes)) settle();
      } catch (error) {
        settle(error as Error);
      }
    });
  });
}

/** An answer that arrives in chunks of any size. */
class Answer {
  private head: Extract<HubMessage, { type: 'scraped' }> | undefined;
  private readonly chunks: Buffer[] = [];
  private bytes = 0;

  /** @returns whether it is complete. @throws Error with the hub's reason, or when it is no answer */
  add(bytes: Buffer): boolean {
    this.chunks.push(bytes);
    this.bytes += bytes.length;
    this.head ??= this.readHead();
    if (this.head === undefined) return false;
    if (this.bytes > this.head.bytes) throw new Error('the hub has sent more than it said');
    return this.bytes === this.head.bytes;
  }

  body(): ScrapeBody {
    return { headers: this.head?.headers ?? {}, chunks: this.chunks };
  }

  private readHead(): typeof this.head {
    if (this.bytes < LENGTH_BYTES) return undefined;
    const all = Buffer.concat(this.chunks);
    const end = LENGTH_BYTES + all.readUInt32BE();
    // the decoder refuses a length that no head has
    const [value] = new FrameDecoder(MAX_HEAD_BYTES).push(all.subarray(0, end));
    if (value === undefined) return undefined;
    const message = hubMessage(value);
    if (message.type === 'unscraped') throw new Error(message.reason);
    if (message.type !== 'scraped' || message.bytes > MAX_BYTES) throw new Error('the hub has sent no scrape');
    const rest = all.subarray(end);
    this.chunks.splice(0, this.chunks.length, ...(rest.length > 0 ? [rest] : []));
    this.bytes = rest.length;
    return message;
  }
}
