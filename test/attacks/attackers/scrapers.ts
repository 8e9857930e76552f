/** Whoever reaches the port of the scrape. */
import { type Headers, request } from '../../support/raw-http';
import { type Attack, connecting, scrapePort } from '../attack';

const KEEP: Headers = { Connection: 'keep-alive' };
const HEADS = 1_000;
const UNREAD = 5;
const BYTE_EVERY_MS = 1_000;

const pipelinedHeads = Buffer.concat(Array.from({ length: HEADS }, () => request('HEAD', '/metrics', KEEP)));
const scrapes = Buffer.concat(Array.from({ length: UNREAD }, () => request('GET', '/metrics', KEEP)));
const slowHead = request('GET', '/metrics');

export const SCRAPERS: readonly Attack[] = [
  connecting('1,000 pipelined HEADs', { perSecond: 0.25, connections: 4 }, scrapePort, (socket) =>
    socket.write(pipelinedHeads),
  ),
  connecting('scrapers that do not read, 5 scrapes each', { perSecond: 1, connections: 20 }, scrapePort, (socket) => {
    socket.pause();
    socket.write(scrapes);
  }),
  connecting('a byte of a request a second', { perSecond: 2, connections: 20 }, scrapePort, (socket) => {
    let sent = 0;
    const timer = setInterval(() => {
      if (sent < slowHead.length) socket.write(slowHead.subarray(sent, ++sent));
    }, BYTE_EVERY_MS);
    socket.once('close', () => clearInterval(timer));
  }),
  connecting('connections to the scrape', { perSecond: 50, connections: 100 }, scrapePort, () => undefined),
];
