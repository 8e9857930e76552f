/** Fetches a scrape line by line: bounded in time, in bytes, and in the length of a line. */
import { type IncomingMessage, type RequestOptions, request } from 'node:http';
import { request as requestTls } from 'node:https';
import { StringDecoder } from 'node:string_decoder';

export const MAX_BYTES = 64 * 1024 * 1024;
/** Longer than any series of ours. */
const MAX_LINE_CHARACTERS = 64 * 1024;

export interface DownloadOptions {
  readonly timeoutMs: number;
  /** `name:password` */
  readonly user?: string | undefined;
  /** Certificates that are trusted, PEM. */
  readonly ca?: string | undefined;
  readonly onLine: (line: string) => void;
}

/**
 * Calls `onLine` with each line of the answer.
 * @returns bytes of the answer
 * @throws {Error} what a user is told: no connection, no scrape, too much, too late. Redirects are not followed
 */
export function download(url: URL, { timeoutMs, user, ca, onLine }: DownloadOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const options: RequestOptions & { ca?: string } = {
      agent: false,
      headers: { accept: 'text/plain;version=0.0.4', 'accept-encoding': 'identity', 'user-agent': 'channel-exporter' },
      ...(user !== undefined && { auth: user }),
      ...(ca !== undefined && { ca }),
    };
    const call = url.protocol === 'https:' ? requestTls(url, options) : request(url, options);
    const late = setTimeout(() => call.destroy(new Error(`no whole answer within ${timeoutMs / 1000} s`)), timeoutMs);
    const end = (settle: () => void) => {
      clearTimeout(late);
      settle();
    };
    call.on('error', (error: NodeJS.ErrnoException) => end(() => reject(new Error(error.message || error.code))));
    call.on('response', (response) => {
      const fault = answerFault(response);
      if (fault !== undefined) {
        call.destroy(new Error(fault));
        return;
      }
      readLines(response, onLine).then(
        (bytes) => end(() => resolve(bytes)),
        (error: Error) => {
          call.destroy();
          end(() => reject(error));
        },
      );
    });
    call.end();
  });
}

function answerFault({ statusCode, headers }: IncomingMessage): string | undefined {
  if (statusCode === 401) return 'the exporter wants a name and a password (status 401); give them by --user-from';
  if (statusCode !== 200) return `the answer has status ${statusCode}, and a scrape has 200`;
  const encoding = headers['content-encoding'] ?? 'identity';
  return encoding === 'identity' ? undefined : 'the answer is compressed, which was not asked for';
}

async function readLines(response: IncomingMessage, onLine: (line: string) => void): Promise<number> {
  const decoder = new StringDecoder('utf8');
  let bytes = 0;
  let rest = '';
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new Error(`the answer has more than ${MAX_BYTES} bytes`);
    const lines = (rest + decoder.write(chunk)).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_LINE_CHARACTERS) throw new Error(`a line has more than ${MAX_LINE_CHARACTERS} characters`);
    for (const line of lines) onLine(line);
  }
  if (!response.complete) throw new Error('the answer broke off');
  if (rest !== '') onLine(rest);
  return bytes;
}
