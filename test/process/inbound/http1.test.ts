/** Requests that plain node:http and node:https servers answer: what is recorded, and that the answers stay the same. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type App, nodeBinary, runApp } from '../../support/app';
import { type InboundCase, inboundTable, recorded } from '../../support/inbound';
import { FIXTURES } from '../../support/paths';
import { CALLER, exchange, get, leave, open, pieces, post, request } from '../../support/raw-http';

const APP = join(FIXTURES, 'apps/inbound-http.js');
const TLS = ['key.pem', 'certificate.pem'].map((name) => join(FIXTURES, 'tls', name));
const HAS_ZSTD = execFileSync(nodeBinary(), ['-p', "'createZstdDecompress' in require('node:zlib')"], {
  encoding: 'utf8',
});

const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';
const JSON_BODY = '{"text":"中文","method_code":"M1","code":"C1"}';
const LONG_CALLER = 'a-caller-with-a-very-long-name/1.0';
/** Bytes of a body that are read by default. */
const BOUND = 64 * 1024;

/** A row for each path whose answer alone is of interest. */
function answersOf(codes: Readonly<Record<string, string>>): InboundCase[] {
  return Object.entries(codes).map(([path, code]) => ({
    name: `the code of ${path} is ${code}`,
    send: get(path),
    records: [{ path, code }],
  }));
}

const MULTIPART = [
  '--XX',
  'Content-Disposition: form-data; name="file"; filename="a.bin"',
  '',
  'method_code=no',
  '--XX',
  'Content-Disposition: form-data; name="method_code"',
  '',
  'P1',
  '--XX--',
  '',
].join('\r\n');

/** What a client does on both sides alike. */
const COMMON: readonly InboundCase[] = [
  ...answersOf({
    '/json': '1',
    '/text': '-1',
    '/empty': '-1',
    '/bytes': 'split',
    '/characters': 'split',
    '/corked': 'corked',
    '/pipe': 'piped',
    '/latin1': '-1',
    '/ascii-as-latin1': 'latin',
    '/base64': 'base64',
    '/hex': 'hex',
    '/utf16': '-1',
    '/bom': 'bom',
    '/uint8array': 'array',
    '/callback': 'cb',
    '/reused-buffer': 'reused',
    '/twice': 'once',
    '/status-too-late': 'sent',
    '/large-first': 'early',
    '/large-first-chunks': 'early',
    '/large-last': '-1',
    '/large-last-string': '-1',
    '/up-to-bound': 'edge',
    '/gzip': 'gzip',
    '/gzip-upper': 'gzip',
    '/deflate': 'deflate',
    '/deflate-raw': 'raw',
    '/br': 'br',
    '/zstd': HAS_ZSTD.trim() === 'true' ? 'zstd' : '-1',
    '/unknown-encoding': '-1',
    '/identity': 'same',
    '/gzip-broken': '-1',
    '/gzip-only-said': 'not packed',
    '/gzip-header-array': 'array',
    '/gzip-set-header': 'stream',
    '/gzip-large': 'early',
    '/gzip-late': '-1',
    '/set': 'own',
    '/set-number': '0',
    '/slow': 'slow',
    '/early-hints': 'hints',
    '/trailers': 'trailers',
  }),
  {
    name: 'the objects of a request show nothing of us',
    send: get('/objects'),
    records: [{ path: '/objects', code: '' }],
    answers: '"keys"',
  },
  { name: 'a missing page is not recorded', send: get('/missing'), records: [] },
  {
    name: 'an answer without a body has no code',
    send: get('/none'),
    records: [{ path: '/none', http_status: '204' }],
  },
  {
    name: 'a failure is recorded with its status and code',
    send: get('/failed'),
    records: [{ path: '/failed', http_status: '500', code: 'E500' }],
  },
  {
    name: 'a HEAD request has the code that its answer was given',
    send: request('HEAD', '/json'),
    records: [{ path: '/json', code: '1' }],
  },
  {
    name: 'OPTIONS for the whole server has the path *',
    send: request('OPTIONS', '*'),
    records: [{ path: '*', code: '1' }],
  },
  {
    name: 'an absolute target, as a proxy sends it, is recorded by its path',
    send: get('http://example.com/text?a=1'),
    records: [{ path: '/text' }],
  },
  {
    name: 'an absolute target without a path is the root',
    send: get('http://example.com'),
    records: [{ path: '/', code: '1' }],
  },
  {
    name: 'a path is decoded; what is no UTF-8 is replaced',
    send: get('/t/%E4%B8%AD%FF%zz?x=%E4'),
    records: [{ path: '/t/中\uFFFD%zz', code: '1' }],
  },
  {
    name: 'a long caller is shortened',
    send: get('/json', { 'User-Agent': LONG_CALLER }),
    records: [{ path: '/json', code: '1', f_code: `${LONG_CALLER.slice(0, 20)}...` }],
  },
  ...['/healthcheck', '/metrics', '/healthcheck?code=1', '/%68ealthcheck', '/metric%73', 'http://h/metrics'].map(
    (target) => ({ name: `${target} is not recorded`, send: get(target), records: [] }),
  ),
  ...['/Healthcheck', '/healthcheck/', '/metrics%2F', '//metrics'].map((path) => ({
    name: `${path} is recorded`,
    send: get(path),
    records: [{ path: decodeURIComponent(path), code: '1' }],
  })),
  {
    name: 'an answer that breaks off is recorded as 499',
    send: get('/destroyed'),
    records: [{ path: '/destroyed', http_status: '499' }],
  },

  // request bodies
  {
    name: 'a JSON body is read as it passes',
    send: post('/echo', JSON_TYPE, JSON_BODY),
    records: [{ path: '/echo', code: 'C1', method_code: 'M1' }],
    answers: '"M1"',
  },
  {
    name: 'a body that arrives byte by byte is read',
    send: pieces(post('/echo', JSON_TYPE, JSON_BODY), 1),
    records: [{ path: '/echo', code: 'C1', method_code: 'M1' }],
  },
  {
    name: 'a chunked body is read',
    send: [
      request('POST', '/echo', { 'Transfer-Encoding': 'chunked', 'Content-Type': JSON_TYPE }),
      Buffer.from('b\r\n{"method_co\r\n'),
      Buffer.from('8\r\nde":"M"}\r\n'),
      Buffer.from('0\r\n\r\n'),
    ],
    records: [{ path: '/echo', code: '', method_code: 'M' }],
    answers: '{"method_code":"M"}',
  },
  ...['/echo-text', '/echo-readable', '/echo-late', '/pipe-through'].map((path) => ({
    name: `the application of ${path} gets exactly its bytes`,
    send: pieces(post(path, JSON_TYPE, JSON_BODY), 90),
    records: [{ path, code: 'C1', method_code: 'M1' }],
    answers: '"M1"',
  })),
  {
    name: 'a form is read',
    send: post('/length', FORM_TYPE, 'a=1&method%5Fcode=F%20+1'),
    records: [{ path: '/length', code: '24', method_code: 'F  1' }],
  },
  {
    name: 'a multipart form is read, its files are not',
    send: pieces(post('/length', 'multipart/form-data; boundary=XX', MULTIPART), 50),
    records: [{ path: '/length', code: String(MULTIPART.length), method_code: 'P1' }],
  },
  {
    name: 'the query comes before the body',
    send: post('/length?method_code=Q1', JSON_TYPE, JSON_BODY),
    records: [{ path: '/length', code: String(Buffer.byteLength(JSON_BODY)), method_code: 'Q1' }],
  },
  {
    name: 'the header comes before the query',
    send: post('/length?method_code=Q1', JSON_TYPE, JSON_BODY, { 'Method-Code': 'H1' }),
    records: [{ path: '/length', code: String(Buffer.byteLength(JSON_BODY)), method_code: 'H1' }],
  },
  {
    name: 'the application comes before the header',
    send: get('/set-method?method_code=Q1', { 'Method-Code': 'H1' }),
    records: [{ path: '/set-method', code: '1', method_code: 'own' }],
  },
  {
    name: 'an empty number set by the application leaves the others their turn',
    send: get('/set-method-empty', { method_code: 'H1' }),
    records: [{ path: '/set-method-empty', code: '1', method_code: 'H1' }],
  },
  {
    name: 'the headers of one spelling with underscores first win',
    send: get('/json', { 'User-Agent': '', user_agent: 'second', _method_code: 'H1', 'Method-Code': 'H2' }),
    records: [{ path: '/json', code: '1', f_code: '', method_code: 'H1' }],
  },
  {
    name: 'a large body with its number in front is read',
    send: post('/length', JSON_TYPE, `{"method_code":"M1","rows":"${'x'.repeat(1024 * 1024)}"}`),
    records: [{ path: '/length', code: String(1024 * 1024 + 30), method_code: 'M1' }],
  },
  {
    name: 'a large body with its number behind the bound has none',
    send: post('/length', JSON_TYPE, `{"rows":"${'x'.repeat(BOUND)}","method_code":"M1"}`),
    records: [{ path: '/length', code: String(BOUND + 30) }],
  },
  {
    name: 'a form that is longer than the bound gives no cut value',
    send: post('/length', FORM_TYPE, `rows=${'x'.repeat(BOUND - 5 - 15)}&method_code=${'9'.repeat(40)}`),
    records: [{ path: '/length', code: String(BOUND - 15 + 13 + 40) }],
  },
  {
    name: 'a body that is not read by the application does it no harm',
    send: post('/unread', JSON_TYPE, JSON_BODY),
    records: [{ path: '/unread', code: 'unread', method_code: 'M1' }],
  },

  // expectations
  {
    name: '100-continue is answered by Node',
    send: [
      request('POST', '/echo', { Expect: '100-continue', 'Content-Length': 19 }),
      Buffer.from('{"method_code":"M"}'),
    ],
    records: [{ path: '/echo', code: '', method_code: 'M' }],
    answers: '^HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK',
  },
  {
    name: 'an unknown expectation is refused by Node and recorded',
    send: get('/json', { Expect: 'wonders' }),
    records: [{ path: '/json', http_status: '417' }],
  },
  {
    name: 'a request without Host is refused by Node and recorded',
    send: Buffer.from(`GET /json HTTP/1.1\r\nUser-Agent: ${CALLER}\r\nConnection: close\r\n\r\n`),
    records: [{ path: '/json', http_status: '400' }],
  },
  {
    name: 'HTTP/1.0 is recorded',
    send: Buffer.from(`GET /chunked HTTP/1.0\r\nUser-Agent: ${CALLER}\r\n\r\n`),
    records: [{ path: '/chunked', code: '1' }],
  },
  {
    name: 'what is no HTTP is not recorded',
    send: Buffer.from('nonsense\r\n\r\n'),
    records: [],
    answers: '^HTTP/1.1 400',
  },

  // many requests on one connection
  {
    name: 'requests that follow on one connection are recorded each',
    send: (port) => keepAlive(port, 50),
    records: [{ path: '/json', code: '1', count: 50 }],
  },
  {
    name: 'pipelined requests are recorded each, in their order',
    send: Buffer.concat([
      get('/slow', { Connection: 'keep-alive' }),
      post('/echo', JSON_TYPE, JSON_BODY, { Connection: 'keep-alive' }),
      get('/gzip', { Connection: 'keep-alive' }),
      get('/bytes'),
    ]),
    records: [
      { path: '/slow', code: 'slow' },
      { path: '/echo', code: 'C1', method_code: 'M1' },
      { path: '/gzip', code: 'gzip' },
      { path: '/bytes', code: 'split' },
    ],
  },
];

const PLAIN_ONLY: readonly InboundCase[] = [
  {
    name: 'an answer that was sent before the application destroys it is no broken one',
    send: get('/end-and-destroy'),
    records: [{ path: '/end-and-destroy', code: 'sent' }],
    answers: '"sent"',
  },
  {
    name: 'a client that leaves before the answer is recorded once, as 499',
    send: (port) => leave(port, get('/hang'), (socket) => socket.destroy()),
    records: [{ path: '/hang', http_status: '499' }],
  },
  {
    name: 'a client that ends its half before the answer is recorded once, as 499',
    send: (port) => leave(port, get('/hang', { Connection: 'keep-alive' }), (socket) => socket.end()),
    records: [{ path: '/hang', http_status: '499' }],
  },
  {
    name: 'a client that leaves in the middle of its body is recorded as 499, without a cut number',
    send: (port) =>
      leave(
        port,
        request('POST', '/echo', { 'Content-Type': FORM_TYPE, 'Content-Length': 90 }, 'method_code=123'),
        (socket) => socket.destroy(),
      ),
    records: [{ path: '/echo', http_status: '499' }],
  },
  ...['/hang-midway', '/whole-but-open'].map((path) => ({
    name: `a client that resets in the middle of ${path} is recorded once, as 499`,
    send: async (port: number) => leave(port, get(path), (socket) => socket.resetAndDestroy(), true),
    records: [{ path, http_status: '499' }],
  })),
  {
    name: 'a client that leaves in the middle of a large answer is recorded once, as 499',
    send: (port) => leave(port, get('/large-to-leaver'), (socket) => socket.destroy(), true),
    records: [{ path: '/large-to-leaver', http_status: '499' }],
  },
  {
    name: 'pipelined requests of a client that leaves are recorded once each',
    send: (port) =>
      leave(
        port,
        Buffer.concat([
          get('/json', { Connection: 'keep-alive' }),
          get('/hang', { Connection: 'keep-alive' }),
          get('/json', { Connection: 'keep-alive' }),
        ]),
        (socket) => socket.destroy(),
        true,
      ),
    records: [
      { path: '/json', code: '1' },
      { path: '/hang', http_status: '499' },
      { path: '/json', http_status: '499', code: '-1' },
    ],
  },
  {
    name: 'an upgrade that nobody listens for is a request like others',
    send: get('/json', { Connection: 'Upgrade, close', Upgrade: 'echo' }),
    records: [{ path: '/json', code: '1' }],
  },
];

async function keepAlive(port: number, count: number): Promise<string> {
  const socket = await open(port);
  socket.setEncoding('utf8');
  const statuses: string[] = [];
  for (let i = 0; i < count; i++) {
    socket.write(get('/json', { Connection: 'keep-alive' }));
    const [answer] = await once(socket, 'data');
    statuses.push(String(answer).slice(0, 15));
  }
  socket.destroy();
  return statuses.join();
}

describe('a plain node:http server', () => {
  inboundTable(APP, [...COMMON, ...PLAIN_ONLY]);
});

describe('a node:https server', () => {
  // the cases that open connections of their own know plain ones only
  inboundTable(
    APP,
    COMMON.filter(({ send }) => typeof send !== 'function'),
    { args: TLS, tls: true },
  );
});

describe('a server that answers expectations itself', () => {
  const expectation = (path: string) => request('POST', path, { Expect: '100-continue', 'Content-Length': 19 });
  inboundTable(
    APP,
    [
      {
        name: 'an accepted one is recorded once',
        send: [expectation('/echo'), Buffer.from('{"method_code":"M"}')],
        records: [{ path: '/echo', code: '', method_code: 'M' }],
        answers: '^HTTP/1.1 100 Continue',
      },
      {
        name: 'a refused one is recorded once',
        send: [expectation('/refused'), Buffer.from('{"method_code":"M"}')],
        records: [{ path: '/refused', http_status: '417', code: 'refused' }],
      },
    ],
    { env: { APP_CHECKS_CONTINUE: '1' } },
  );
});

describe('a server that upgrades', () => {
  let app: App;
  before(async () => {
    app = await runApp(APP, { env: { APP_UPGRADES: '1' } });
  });
  after(() => app.stop());

  const upgrades = {
    'an upgraded connection': get('/json', { Connection: 'Upgrade', Upgrade: 'echo' }),
    'a tunnel': request('CONNECT', 'example.com:443'),
  };
  for (const [what, bytes] of Object.entries(upgrades)) {
    it(`${what} works and is not recorded`, async () => {
      const echoed = await recorded(app, async () => {
        const socket = await open(app.port);
        socket.setEncoding('utf8');
        socket.write(bytes);
        const [head] = await once(socket, 'data');
        assert.match(head, /^HTTP\/1\.1 (101|200) /);
        socket.write('{"code":"echo"}');
        const [echo] = await once(socket, 'data');
        socket.end();
        await once(socket, 'close');
        return echo;
      }, []);
      assert.equal(echoed, '{"code":"echo"}');
    });
  }

  it('other requests on it are recorded', async () => {
    await recorded(app, () => exchange(app.port, [get('/json')]), [{ path: '/json', code: '1' }]);
  });
});
