/** The routes of Express 4 and 5, as CommonJS and as ES modules: the same table for both. */
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe } from 'node:test';
import { BUNDLERS, openBundles } from '../../support/bundle';
import { type InboundCase, inboundTable, type RouteRow, routeCase } from '../../support/inbound';
import { FIXTURES } from '../../support/paths';
import { get, leave, pieces, post, request } from '../../support/raw-http';

const APP = join(FIXTURES, 'apps/inbound-express.js');
const APP_FILE = join(FIXTURES, 'apps/inbound-express.json');
const APP_ESM = join(FIXTURES, 'apps/inbound-express.mjs');

const FOUR = 'express4';
const FIVE = 'express';
type Version = typeof FOUR | typeof FIVE;

const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';
const ACCEPT_GZIP = { 'Accept-Encoding': 'gzip' };

const ROUTES: readonly RouteRow[] = [
  ['/', '/', 'root'],
  ['/?a=/plain', '/', 'root'],
  ['/plain', '/plain', 'plain'],
  ['/PLAIN/', '/plain', 'plain'],
  ['/users/7?x=1', '/users/:id', 'user'],
  ['/users/%E4%B8%AD', '/users/:id', 'user'],
  ['http://example.com/users/7', '/users/:id', 'user'],
  ['/several', '/several', 'several'],
  ['/trailing', '/trailing/', 'trailing'],
  ['/one', '/one', 'array'],
  ['/two/2', '/two/:n', 'array'],
  ['/three/3', '/three/:m', 'array'],
  ['http://example.com/three/3', '/three/:m', 'array'],
  ['/rx/7', '/^\\/rx\\/(\\d+)$/', 'regexp'],
  ['/mix', '/mix', 'mix'],
  ['/mix/7', '/^\\/mix\\/(\\d+)$/', 'mix'],
  ['/resource/7', '/resource/:id', 'get'],
  ['/status/500', '/status/:status', 'S', { http_status: '500' }],
  ['/redirect', '/redirect', '-1', { http_status: '302' }],
  ['/rewrite/1', '/rewritten/:id', 'rewritten'],
  ['/late/1', '/late/:id', 'late'],

  ['/api', '/api', 'api'],
  ['/api/', '/api', 'api'],
  ['/api/users/7', '/api/users/:id', 'api-user'],
  ['/API/Users/7', '/api/users/:id', 'api-user'],
  ['/api/users/7/orders', '/api/users/:id/orders', 'orders'],
  ['/api/users/7/orders/9', '/api/users/:id/orders/:order', 'order'],
  ['/slash', '/slash', 'slash'],
  ['/slash/in/1', '/slash/in/:x', 'slash-in'],
  ['/m1/in/1', '/m1/in/:y', 'mount-array'],
  ['/m2/a/in/1', '/m2/:x/in/:y', 'mount-array'],
  ['/m3/in/1', '/m3/in/:y', 'mount-array'],
  ['http://example.com/m3/in/1', '/m3/in/:y', 'mount-array'],
  ['/mrx12/in', '/^\\/mrx\\d+//in', 'mount-regexp'],
  ['/ma1', '/^\\/ma\\d$/', 'mount-mix'],
  ['/mb', '/mb', 'mount-mix'],
  ['/mb/in', '/mb/in', 'mount-mix-in'],
  ['/exact/x', '/exact/x', 'exact'],
  ['/exact/x/', '/exact/x/', 'exact'],
  ['/EXACT/X', '/exact/X', 'exact'],
  ['/through/end', '/through/end', 'shared'],
  ['/through/deep/end', '/through/deep/end', 'shared'],
  ['/tenants/7/end', '/tenants/:tenant/end', 'shared'],
  ['/direct/1', '/direct/:y', 'direct'],

  ['/params/7/kept', '/params/:kept/kept', 'kept'],
  ['/params/7/gone', '/params/:gone/gone', 'gone', { http_status: '410' }],
  ['/params/7/bad', '/params/:bad/bad', 'bad', { http_status: '400' }],
  ['/params/passed/1', '/params/passed/:gone', 'gone', { http_status: '410' }],

  ['/skip/1', '/skip/:y', 'skipped'],
  ['/left/1', '/left/:y', 'left'],
  ['/blocked/deep/1', '/blocked/*', 'blocked', { http_status: '403' }],
  ['/guarded/7/room/1', '/guarded/:area/*', 'key', { http_status: '401' }],
  ['/guarded/7/room/1?key=1', '/guarded/:area/room/:id', 'room'],
  ['/users/%E4%B8', '/users/\uFFFD', '', { http_status: '400' }],
  ['/passed-on/1', '/passed-on/:id', 'passed-on'],

  ['/fail/next/1', '/fail/next/:id', 'next', { http_status: '503' }],
  ['/fail/throw/1', '/fail/throw/:id', 'throw', { http_status: '502' }],
  ['/fail/default/1', '/fail/default/:id', '-1', { http_status: '500' }],
  ['/fail/after/1', '/fail/after/:id', 'sent'],
  ['/fail/middleware/1', '/fail/middleware/1', 'middleware', { http_status: '500' }],
  ['/failing/1/own/2', '/failing/:who/own/:id', 'handled inside', { http_status: '422' }],
  ['/failing/1/outer/2', '/failing/:who/outer/:id', 'outer', { http_status: '400' }],
  ['/fail/routed/1', '/fail/routed/:page', 'page', { http_status: '500' }],

  ['/admin', '/admin', 'admin'],
  ['/admin/users/7', '/admin/users/:id', 'admin-user'],
  ['/admin/audit/7', '/admin/audit/:entry', 'audit'],
  ['/admin/fail', '/admin/fail', 'admin', { http_status: '500' }],
  ['/s1/1', '/s1/:entry', 'audit'],
  ['/s2/1', '/s2/:entry', 'audit'],

  ['/send/text', '/send/text', '-1'],
  ['/send/file', '/send/file', 'file'],
  ['/send/jsonp', '/send/jsonp', 'jsonp'],
  ['/send/status', '/send/status', '-1', { http_status: '202' }],
  ['/set', '/set', 'own', { method_code: 'own' }],
  ['/objects', '/objects', ''],
  ['/static/inbound-express.json', '/static/*', 'file'],
  ['/packed/json', '/packed/json', 'packed'],
];

/** What each version writes in its own way. */
const OWN_ROUTES: Readonly<Record<Version, readonly RouteRow[]>> = {
  [FOUR]: [
    ['/all/a/b', '/all/*', 'all'],
    ['/optional', '/optional/:id?', 'optional'],
    ['/optional/1', '/optional/:id?', 'optional'],
    ['/files/a.txt', '/files/:name.:ext(\\w+)', 'file'],
    ['/wild/a/b', '/wild/*', 'wild'],
    ['/starry', '/star*', 'star'],
  ],
  [FIVE]: [
    ['/all/a/b', '/all/*rest', 'all'],
    ['/optional', '/optional{/:id}', 'optional'],
    ['/optional/1', '/optional{/:id}', 'optional'],
    ['/files/a.txt', '/files/:name.:ext', 'file'],
    ['/wild/a/b', '/wild/*rest', 'wild'],
    ['/fail/reject/1', '/fail/reject/:id', 'reject', { http_status: '504' }],
  ],
};

/** What has its concrete path in a bundle with Express 4: routes below mounts of which it keeps no readable path. */
const UNREADABLE: readonly RouteRow[] = [
  ['/api/users/7/orders', '/api/users/7/orders', 'orders'],
  ['/api/users/7/orders/9', '/api/users/7/orders/9', 'order'],
  ['/m1/in/1', '/m1/in/1', 'mount-array'],
  ['/m2/a/in/1', '/m2/a/in/1', 'mount-array'],
  ['/m3/in/1', '/m3/in/1', 'mount-array'],
  ['http://example.com/m3/in/1', '/m3/in/1', 'mount-array'],
  ['/mrx12/in', '/mrx12/in', 'mount-regexp'],
  ['/ma1', '/ma1', 'mount-mix'],
  ['/mb', '/mb', 'mount-mix'],
  ['/mb/in', '/mb/in', 'mount-mix-in'],
  ['/tenants/7/end', '/tenants/7/end', 'shared'],
  ['/guarded/7/room/1', '/guarded/7/room/1', 'key', { http_status: '401' }],
  ['/guarded/7/room/1?key=1', '/guarded/7/room/1', 'room'],
  ['/failing/1/own/2', '/failing/1/own/2', 'handled inside', { http_status: '422' }],
  ['/failing/1/outer/2', '/failing/1/outer/2', 'outer', { http_status: '400' }],
  ['/s1/1', '/s1/1', 'audit'],
  ['/s2/1', '/s2/1', 'audit'],
];

const REQUESTS: readonly InboundCase[] = [
  { name: 'a missing page is not recorded', send: get('/nothing/here'), records: [] },
  { name: 'a route that answers 404 is not recorded', send: get('/status/404'), records: [] },
  { name: 'an ignored path is not recorded', send: get('/%68ealthcheck'), records: [] },
  {
    name: 'HEAD is answered by the route of GET',
    send: request('HEAD', '/users/7'),
    records: [{ path: '/users/:id', code: '-1' }],
  },
  {
    name: 'OPTIONS that Express answers by itself has matched no route',
    send: request('OPTIONS', '/users/7'),
    records: [{ path: '/users/7', code: '-1' }],
    answers: 'Allow: GET,\\s?HEAD',
  },
  {
    name: 'the methods of app.route share their template',
    send: request('DELETE', '/resource/7'),
    records: [{ path: '/resource/:id', code: 'delete' }],
  },
  {
    name: 'an answer that the client has already is 304',
    send: get('/send/fresh', { 'If-None-Match': '"1"' }),
    records: [{ path: '/send/fresh', http_status: '304' }],
  },
  ...['json', 'pipe', 'large'].map((what) => ({
    name: `a packed answer (${what}) is read`,
    send: get(`/packed/${what}`, ACCEPT_GZIP),
    records: [{ path: `/packed/${what}`, code: { json: 'packed', pipe: 'piped', large: 'large' }[what] as string }],
    answers: 'Content-Encoding: gzip',
  })),
  {
    name: 'express.json gets its body',
    send: pieces(post('/body/json', JSON_TYPE, '{"method_code":"M1","text":"中文"}'), 60),
    records: [{ path: '/body/json', code: 'json', method_code: 'M1' }],
    answers: '"method_code":"M1"',
  },
  {
    name: 'express.json refuses what is no JSON',
    send: post('/body/json', JSON_TYPE, '{"method_code":"M1"'),
    records: [{ path: '/body/json', http_status: '400', code: 'entity.parse.failed' }],
  },
  {
    name: 'express.json refuses what is too large',
    send: post('/body/limited', JSON_TYPE, '{"method_code":"M1"}'),
    records: [{ path: '/body/limited', http_status: '413', code: 'entity.too.large', method_code: 'M1' }],
  },
  {
    name: 'express.urlencoded gets its form',
    send: post('/body/form', FORM_TYPE, 'a=1&method_code=F1'),
    records: [{ path: '/body/form', code: 'form', method_code: 'F1' }],
    answers: '"method_code":"F1"',
  },
  ...['text', 'raw', 'stream'].map((how) => ({
    name: `a body read as ${how} comes back as it was`,
    send: pieces(post(`/body/${how}`, JSON_TYPE, '{"code":"back","method_code":"M1"}'), 70),
    records: [{ path: `/body/${how}`, code: 'back', method_code: 'M1' }],
    answers: '{"code":"back","method_code":"M1"}$',
  })),
  {
    name: 'a large body comes back whole',
    send: post('/body/raw', 'text/plain', Buffer.alloc(2 * 1024 * 1024, 'x')),
    records: [{ path: '/body/raw' }],
  },
  {
    name: 'a body that nobody reads does no harm',
    send: post('/body/unread', JSON_TYPE, '{"method_code":"M1"}'),
    records: [{ path: '/body/unread', code: 'unread', method_code: 'M1' }],
  },
  ...['/hang', '/hang-midway'].map((path) => ({
    name: `a client that leaves ${path} is recorded once, as 499 of its route`,
    send: (port: number) => leave(port, get(`${path}/1`), (socket) => socket.destroy(), path === '/hang-midway'),
    records: [{ path: `${path}/:id`, http_status: '499' }],
  })),
  {
    name: 'many requests on one connection keep their routes apart',
    send: Buffer.concat([
      ...Array.from({ length: 20 }, (_, i) => get(i % 2 ? `/late/${i}` : `/rx/${i}`, { Connection: 'keep-alive' })),
      get('/users/1'),
    ]),
    records: [
      { path: '/late/:id', code: 'late', count: 10 },
      { path: '/^\\/rx\\/(\\d+)$/', code: 'regexp', count: 10 },
      { path: '/users/:id', code: 'user' },
    ],
  },
];

const ESM_ROUTES: readonly RouteRow[] = [
  ['/users/7', '/users/:id', 'user'],
  ['/api/users/7', '/api/users/:id', 'api-user'],
  ['/blocked/1', '/blocked/*', 'blocked', { http_status: '403' }],
  ['/set', '/set', 'own'],
];

/** The program with its Express named in the text, as a bundler needs it. */
function bundledSource(version: Version): string {
  return readFileSync(APP, 'utf8')
    .replace('require(name)', `require('${version}')`)
    .replace(/require\(`.*?`\)/, `require('${version}/package.json')`);
}

for (const version of [FOUR, FIVE] as const) {
  describe(`${version}, CommonJS`, () => {
    const own = OWN_ROUTES[version];
    const shared = ROUTES.filter(([target]) => !own.some(([other]) => other === target));
    inboundTable(APP, [...[...shared, ...own].map(routeCase), ...REQUESTS], { args: [version] });
  });

  // the other two are in loading.test.ts
  for (const { bundler, minify, name } of BUNDLERS.filter((each) => each.minify === (each.bundler === 'esbuild'))) {
    describe(`${version}, bundled by ${name}`, () => {
      const own = [...OWN_ROUTES[version], ...(version === FOUR ? UNREADABLE : [])];
      const shared = ROUTES.filter(([target]) => !own.some(([other]) => other === target));
      const warning = version === FOUR ? { warning: 'CHX_ROUTE_UNSEEN' } : {};
      const bundles = openBundles();
      after(() => bundles.remove());
      const make = async () => {
        cpSync(APP_FILE, join(bundles.folder, 'inbound-express.json'));
        return bundles.make(bundler, bundledSource(version), { minify });
      };
      inboundTable(make, [...[...shared, ...own].map(routeCase), ...REQUESTS], { args: [version], ...warning });
    });
  }

  describe(`${version}, ES modules`, () => {
    inboundTable(APP_ESM, ESM_ROUTES.map(routeCase), { args: [version] });
  });
}
