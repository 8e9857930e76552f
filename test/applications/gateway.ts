/** A proxying gateway: Express 5 and http-proxy-middleware, with bodies that are far larger than the memory it may take. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { PARTNER } from '../support/app';
import { FIXTURES } from '../support/paths';
import type { Application } from './application';
import { type Answer, exchange } from './exchange';

const BODY_BYTES = 200 * 1024 * 1024;
/** What a process may have at the highest while such bodies pass; bare it is about 100 MiB. */
const PEAK_LIMIT_BYTES = 200 * 1024 * 1024;
const PARTNER_CODE = '07';
/** Not a divisor of the body, so that chunks do not fall on its end. */
const PIECE = createHash('shake256', { outputLength: 65_521 }).update('a piece of a body').digest();

const VERSIONS = [
  { proxy: '3.0.10', nodeLine: 20 },
  { proxy: '4.2.1', nodeLine: 22 },
];

export const gateway: readonly Application[] = VERSIONS.map(({ proxy, nodeLine }) => createGateway(proxy, nodeLine));

function createGateway(proxy: string, nodeLine: number): Application {
  let backend: Server | undefined;
  return {
    name: `gateway with http-proxy-middleware ${proxy}`,
    nodeLine,
    installation: {
      name: `gateway-${proxy}`,
      manifest: { dependencies: { express: '5.3.0', 'http-proxy-middleware': proxy } },
      files: join(FIXTURES, 'applications/gateway'),
    },
    async start({ data, port }) {
      if (backend === undefined) {
        backend = createServer(answer).listen(0, '127.0.0.1');
        await once(backend, 'listening');
      }
      const host = `127.0.0.1:${(backend.address() as AddressInfo).port}`;
      const paths = { '/items/:id': '0001', '/upload': '0002', '/download': '0003', '/assets/*': '0004' };
      const partners = join(data, 'partners.json');
      writeFileSync(partners, JSON.stringify({ hosts: { [host]: { partner: PARTNER_CODE, paths } } }));
      const env = { PORT: String(port), BACKEND_URL: `http://${host}`, CHANNEL_EXPORTER_PARTNERS: partners };
      return { args: ['server.js'], env };
    },
    ready: '/local/0',
    async use({ port }) {
      const answers: Answer[] = [];
      const asked = async (...args: Parameters<typeof exchange>) => void answers.push(await exchange(...args));
      await asked(port, { request: 'GET /local/1' });
      await asked(port, { request: 'GET /api/items/17?a=b' });
      await asked(port, { request: 'HEAD /api/items/17' });
      await asked(port, { request: 'POST /api/items/18', body: '{"method_code":"M1"}', headers: JSON_TYPE });
      await asked(port, { request: 'GET /api/broken' });
      await asked(port, { request: 'GET /api/missing' });
      await asked(port, { request: 'GET /assets/logo.svg' });
      await asked(port, { request: 'GET /nowhere' });
      const length = { 'content-length': String(BODY_BYTES) };
      await asked(port, { request: 'PUT /api/upload', headers: length, body: pieces() });
      await asked(port, { request: 'PUT /api/upload', body: pieces() });
      await asked(port, { request: 'GET /api/download' });
      for (const { title, body } of answers.filter((each) => /load$/.test(each.title)))
        assert.ok(
          body.includes(await digest()) && body.includes(String(BODY_BYTES)),
          `${title}: ${body.slice(0, 200)}`,
        );
      return answers;
    },
    series: {
      '/local/:id 200 0': 1,
      '/api/* 200 1000': 1,
      '/api/* 200 -1': 2,
      '/api/* 200 1000 M1': 1,
      '/api/* 503 E503': 1,
      '/api/* 200 0': 2,
      '/assets/logo.svg 200 -1': 1,
    },
    load: { path: '/api/items/1', series: '/api/* 200 1000', requests: 1_000 },
    check(metrics) {
      const calls = metrics.counts(PARTNER).map(({ labels, count }) => {
        const { partner, action_code, http_status, code } = labels;
        return [`${partner} ${action_code} ${http_status} ${code}`, count] as const;
      });
      assert.deepEqual(Object.fromEntries(calls), {
        [`${PARTNER_CODE} 0001 200 1000`]: 1_002,
        [`${PARTNER_CODE} 0001 200 -1`]: 1,
        [`${PARTNER_CODE} 0002 200 0`]: 2,
        [`${PARTNER_CODE} 0003 200 -1`]: 1,
        [`${PARTNER_CODE} 0004 200 -1`]: 1,
        [`${PARTNER_CODE}  503 E503`]: 1,
        [`${PARTNER_CODE}  404 -1`]: 1,
      });
    },
    peakLimitBytes: PEAK_LIMIT_BYTES,
    end: () => backend?.close(),
  };
}

const JSON_TYPE = { 'content-type': 'application/json' };

/** The backend: it tells what has reached it. */
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url ?? '';
  response.setHeader('Set-Cookie', ['a=1', 'b=2']);
  response.setHeader('X-Backend', 'One');
  const json = (status: number, body: object) => {
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
  };
  if (path === '/download') {
    response.setHeader('Content-Length', BODY_BYTES);
    await pipeline(pieces(), response).catch(() => undefined);
    return;
  }
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      hash.update(chunk);
      bytes += chunk.length;
    }
  } catch {
    return; // the gateway has gone
  }
  const { host, connection, 'x-forwarded-for': _, ...headers } = request.headers;
  if (path === '/upload') json(200, { code: '0', bytes, sha256: hash.digest('hex'), headers });
  else if (path === '/broken') json(503, { code: 'E503' });
  else if (path.startsWith('/items/')) json(200, { code: '1000', path, method: request.method, bytes, headers });
  else if (path.startsWith('/assets/')) response.setHeader('Content-Type', 'image/svg+xml').end('<svg/>');
  else json(404, {});
}

function pieces(): Readable {
  return Readable.from(chunks(), { objectMode: false });
}

function* chunks(): Generator<Buffer> {
  for (let left = BODY_BYTES; left > 0; left -= PIECE.length) yield PIECE.subarray(0, Math.min(left, PIECE.length));
}

let known: string | undefined;

async function digest(): Promise<string> {
  if (known !== undefined) return known;
  const hash = createHash('sha256');
  for (const chunk of chunks()) hash.update(chunk);
  known = hash.digest('hex');
  return known;
}
