/** Requests answered by node:http2, on every release line and by both of its APIs. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import https from 'node:https';
import { after, before, describe, it } from 'node:test';
import { type App, INNER, runApp } from '../../support/app';
import { growth, type Metrics } from '../../support/metrics';
import { linesInTitle, NODE_LINES, nodeOfLine } from '../../support/node-versions';

const APPS = 'test/fixtures/apps';
const SERVERS = [
  { api: 'compat', script: `${APPS}/http2-server.js`, args: [], scheme: 'http' },
  { api: 'stream', script: `${APPS}/http2-server.js`, args: ['stream'], scheme: 'http' },
  { api: 'secure', script: `${APPS}/http2-secure-server.mjs`, args: [], scheme: 'https' },
] as const;
type Api = (typeof SERVERS)[number]['api'];

interface Case {
  readonly title: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** When the client closes the stream; it reads no body then. */
  readonly leaves?: 'without a head' | 'with the head';
  /** `f_code path status code method_code`; undefined: not recorded. */
  readonly expect: string | undefined;
  readonly only?: readonly Api[];
}

const UNRECORDED = 'channel_exporter_unrecorded_requests_total';
const JSON_TYPE = { 'content-type': 'application/json' };
const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' };

const CASES: readonly Case[] = [
  { title: 'a JSON answer', path: '/json', expect: '|/json|200|A1|' },
  { title: 'an answer that is no JSON', path: '/text', expect: '|/text|500|-1|' },
  { title: 'an answer without a code', path: '/no-code', expect: '|/no-code|200||' },
  { title: 'an answer without a body', path: '/empty', expect: '|/empty|204|-1|' },
  { title: 'a packed answer', path: '/gzip', expect: '|/gzip|200|G1|' },
  { title: 'an answer in pieces', path: '/pieces', expect: '|/pieces|200|1.50|' },
  { title: 'a piped answer', path: '/pipe', expect: '|/pipe|200|F1|' },
  { title: 'an answer larger than the window', path: '/large', expect: '|/large|200|L1|' },
  { title: 'a file sent by Node, without its code', path: '/file', expect: '|/file|200|-1|', only: ['stream'] },
  { title: 'an answer without a head of its own', path: '/implicit', expect: '|/implicit|200|I1|', only: ['stream'] },
  { title: 'a HEAD as over HTTP/1', path: '/json', headers: { ':method': 'HEAD' }, expect: '|/json|200|A1|' },
  {
    title: 'the caller, cut, and the method code of a header',
    path: '/json',
    headers: { 'user-agent': 'a caller of twenty-two', 'method-code': 'M1' },
    expect: 'a caller of twenty-t...|/json|200|A1|M1',
  },
  { title: 'the method code of a query', path: '/json?methodCode=M2', expect: '|/json|200|A1|M2' },
  {
    title: 'the method code of a JSON body',
    path: '/echo',
    headers: JSON_TYPE,
    body: '{"method_code":"M3","code":"E1"}',
    expect: '|/echo|200|E1|M3',
  },
  {
    title: 'the method code of a form that is not read to its end',
    path: '/echo',
    headers: FORM_TYPE,
    body: 'method_code=M4',
    expect: '|/echo|200|-1|M4',
  },
  { title: 'codes set by the application', path: '/set', expect: '|/set|200|mine|M9' },
  {
    title: 'a request that was left before the head',
    path: '/never',
    leaves: 'without a head',
    expect: '|/never|499|-1|',
  },
  { title: 'a request that was left in the body', path: '/stall', leaves: 'with the head', expect: '|/stall|499|-1|' },
  { title: 'a stream that the application closes', path: '/close', expect: '|/close|499|-1|' },
  { title: 'nothing of a status 404', path: '/missing', expect: undefined },
  { title: 'nothing of an ignored path', path: '/healthcheck?x', expect: undefined },
];

function short(before: Metrics, after: Metrics): string[] {
  return growth(before, after, INNER).map(({ labels: l, count }) =>
    [l.f_code, l.path, l.http_status, l.code, l.method_code].join('|').concat(count === 1 ? '' : ` ×${count}`),
  );
}

function total(metrics: Metrics): number {
  return metrics.counts(INNER).reduce((sum, { count }) => sum + count, 0);
}

/** One exchange; what the client saw of it. */
async function exchange(session: http2.ClientHttp2Session, { path, headers, body, leaves }: Case): Promise<object> {
  const method = body === undefined ? 'GET' : 'POST';
  const stream = session.request({ ':method': method, ':path': path, ...headers });
  const seen = { status: 0, headers: {} as Record<string, unknown>, body: '', error: '' };
  stream.on('error', (error) => {
    seen.error = error.message;
  });
  stream.on('response', (head) => {
    seen.status = head[':status'] ?? 0;
    seen.headers = { ...head, date: undefined };
    if (leaves === 'with the head') stream.close(http2.constants.NGHTTP2_CANCEL);
  });
  stream.setEncoding('latin1').on('data', (text: string) => {
    if (leaves === undefined) seen.body += text;
  });
  stream.end(body);
  if (leaves === 'without a head') setTimeout(() => stream.close(http2.constants.NGHTTP2_CANCEL), 30);
  await new Promise((resolve) => stream.on('close', resolve));
  return seen;
}

describe(`HTTP/2 servers on ${linesInTitle}`, () => {
  for (const line of NODE_LINES) {
    const node = nodeOfLine(line);
    if (node === undefined) continue;
    for (const { api, script, args, scheme } of SERVERS) {
      describe(`${api} server of Node ${line}`, () => {
        let measured: App;
        let sessions: { plain: http2.ClientHttp2Session; measured: http2.ClientHttp2Session };
        const stop: (() => unknown)[] = [];
        before(async () => {
          const plain = await runApp(script, { node, args, nodeArgs: [] });
          stop.push(() => plain.stop());
          measured = await runApp(script, { node, args });
          stop.push(() => measured.stop());
          const open = (port: number) => {
            const session = http2.connect(`${scheme}://127.0.0.1:${port}`, { rejectUnauthorized: false });
            stop.unshift(() => session.destroy());
            return session;
          };
          sessions = { plain: open(plain.port), measured: open(measured.port) };
        });
        after(async () => {
          for (const end of stop) await end();
        });

        for (const each of CASES) {
          if (each.only !== undefined && !each.only.includes(api)) continue;
          it(`records ${each.title}, once`, async () => {
            const earlier = await measured.metrics();
            const [without, within] = await Promise.all([
              exchange(sessions.plain, each),
              exchange(sessions.measured, each),
            ]);
            assert.deepEqual(within, without, 'the client sees what it sees without the exporter');
            // a request behind it shows that what was not recorded by then is not going to be
            await exchange(sessions.measured, { title: '', path: '/no-code?method_code=last', expect: '' });
            const last = '|/no-code|200||last';
            const wanted = [...(each.expect === undefined ? [] : [each.expect]), last].sort();
            const later = await measured.metricsWhen((metrics) => short(earlier, metrics).length >= wanted.length);
            assert.deepEqual(short(earlier, later).sort(), wanted);
          });
        }

        it('counts what it does not record', async () => {
          const counted = (metrics: Metrics) =>
            Object.fromEntries(metrics.counts(UNRECORDED).map(({ labels, count }) => [labels.reason, count]));
          const earlier = counted(await measured.metrics());
          for (const path of ['/missing', '/healthcheck', '/missing', '/healthcheck?x']) {
            await exchange(sessions.measured, { title: '', path, expect: undefined });
          }
          const isThere = (metrics: Metrics) => counted(metrics).ignored === (earlier.ignored ?? 0) + 2;
          const later = counted(await measured.metricsWhen(isThere));
          assert.equal((later.no_route ?? 0) - (earlier.no_route ?? 0), 2);
          assert.equal(later.not_found, 0, 'without a framework no route is known');
        });

        it('records two thousand mixed requests to the unit', async () => {
          const crowd = CASES.filter(({ expect, only }) => expect !== undefined && only === undefined);
          const earlier = total(await measured.metrics());
          for (let made = 0; made < 2000; made += 50) {
            const batch = Array.from({ length: 50 }, (_, n) => crowd[(made + n) % crowd.length] as Case);
            await Promise.all(batch.map((each) => exchange(sessions.measured, each)));
          }
          const later = await measured.metricsWhen((metrics) => total(metrics) >= earlier + 2000);
          assert.equal(total(later) - earlier, 2000);
        });

        it('records what is under way when the connection breaks', async () => {
          const earlier = await measured.metrics();
          const session = http2.connect(`${scheme}://127.0.0.1:${measured.port}`, { rejectUnauthorized: false });
          const streams = [1, 2, 3].map(() => session.request({ ':path': '/stall' }).on('error', () => undefined));
          await Promise.all(streams.map((stream) => once(stream, 'response')));
          session.on('error', () => undefined).destroy();
          const later = await measured.metricsWhen((metrics) => total(metrics) >= total(earlier) + streams.length);
          assert.deepEqual(short(earlier, later), ['|/stall|499|-1| ×3']);
        });

        if (api === 'secure') {
          it('records what it answers over HTTP/1, once', async () => {
            const earlier = await measured.metrics();
            const url = `https://127.0.0.1:${measured.port}/json`;
            const request = https.get(url, { rejectUnauthorized: false, agent: false });
            const [response] = await once(request, 'response');
            response.resume();
            await once(response, 'close');
            const later = await measured.metricsWhen((metrics) => short(earlier, metrics).length > 0);
            assert.deepEqual(short(earlier, later), ['|/json|200|A1|']);
          });
        }
      });
    }
  }
});
