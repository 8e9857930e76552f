/**
 * The routes of Express applications of which all templates are known before a request comes, and of the same ones
 * where each request is followed; and what makes the exporter change from the one to the other.
 */
import { join } from 'node:path';
import { describe } from 'node:test';
import { type InboundCase, inboundTable, type RouteRow, routeCase } from '../../support/inbound';
import { FIXTURES } from '../../support/paths';
import { get, leave, request } from '../../support/raw-http';

const APP = join(FIXTURES, 'apps/express-route-table.js');

const mode = (code: string) => routeCase(['/mode', '/mode', code]);

const ROWS: readonly RouteRow[] = [
  ['/', '/', 'root'],
  ['/users/7?x=1', '/users/:id', 'user'],
  ['/late/7', '/late/:id', 'late'],
  ['/middleware/7', '/middleware/*', 'middleware'],
  ['/api', '/api', 'api'],
  ['/api/users/7', '/api/users/:id', 'api-user'],
  ['/API/Users/7', '/api/users/:id', 'api-user'],
  ['/api/users/7/orders', '/api/users/:id/orders', 'orders'],
  ['/api/users/7/orders/8', '/api/users/:id/orders/:order', 'order'],
  ['/api/fails', '/api/fails', 'F1', { http_status: '500' }],
  ['/API/fails', '/api/fails', 'F1', { http_status: '500' }],
  ['/api/passes', '/api/passes', 'passed'],
  ['/api/named/7', '/api/named/:name', 'blocked'],
  ['/t/acme/list', '/t/:tenant/list', 'tenant'],
];

/** Handlers that answer under a mount, without a route. */
const MOUNTS: readonly RouteRow[] = [
  ['/gw', '/gw/*', 'gateway'],
  ['/gw/a/1?x=1', '/gw/*', 'gateway'],
  ['/GW/a/2', '/gw/*', 'gateway'],
  ['/gw/late/1', '/gw/*', 'gateway'],
  ['http://example.com/gw/a/1', '/gw/*', 'gateway'],
  ['/gw/fails', '/gw/fails', 'G1', { http_status: '500' }],
  ['/gw2/1', '/GW2/*', 'upper'],
  ['/files/7/a', '/files/:area/*', 'area'],
  ['/files/none/a', '/files/*', 'files'],
  ['/m1/1', '/m1/*', 'several'],
  ['/m2/1/2', '/m2/:x/*', 'several'],
  ['/rx17/1', '/^\\/rx\\d+//*', 'regexp'],
  ['/outer/1/deep/2', '/outer/:n/deep/*', 'deep'],
  ['/outer/1/own', '/outer/:n/*', 'own'],
  ['/outer/1/passed', '/outer/:n/passed', 'passed'],
  ['/any/1', '/any/*', 'any'],
  ['/other/1', '/other/1', 'fallback'],
];

/** Routes and mounts below a middleware that sets `req.url = req.originalUrl`. */
const RESET: readonly RouteRow[] = [
  ['/whole/users/7', '/whole/users/:id', 'whole'],
  ['/WHOLE/users/7', '/whole/users/:id', 'whole'],
  ['/whole/fails/7', '/whole/fails/:id', 'W1', { http_status: '500' }],
  ['/whole/handed/7', '/whole/handed/:id', 'handed'],
  ['/whole/mount/7', '/whole/mount/*', 'whole-mount'],
  ['/whole/deep/in/7', '/whole/deep/in/:x', 'whole-deep'],
  ['/w/acme/users/7', '/w/:tenant/users/:id', 'whole-tenant'],
  ['/reset/x/7', '/reset/x/:y', 'after-reset'],
  ['/proxied/1/x/7', '/proxied/:n/x/:id', 'proxied'],
  ['/proxied/1/y/7', '/proxied/:n/*', 'proxied'],
];

const REQUESTS: readonly InboundCase[] = [
  { name: 'what nothing answers is not recorded', send: get('/nowhere'), records: [] },
  {
    name: 'HEAD has the route of GET',
    send: request('HEAD', '/api/users/7'),
    records: [{ path: '/api/users/:id' }],
  },
  {
    name: 'a client that leaves is recorded as 499 of its route',
    send: (port) => leave(port, get('/hang/1'), (socket) => socket.destroy(), true),
    records: [{ path: '/hang/:id', http_status: '499' }],
  },
  {
    name: 'many requests on one connection keep their routes apart',
    send: Buffer.concat([
      ...Array.from({ length: 20 }, (_, i) => get(i % 2 ? `/late/${i}` : `/t/${i}/list`, { Connection: 'keep-alive' })),
      get('/users/1'),
    ]),
    records: [
      { path: '/late/:id', code: 'late', count: 10 },
      { path: '/t/:tenant/list', code: 'tenant', count: 10 },
      { path: '/users/:id', code: 'user' },
    ],
  },
];

const UNANSWERED: readonly InboundCase[] = [
  { name: 'a 404 of a mount is not recorded', send: get('/gw/missing'), records: [] },
  { name: 'what a mount passes on, and nothing answers, is not recorded', send: get('/gw/passes'), records: [] },
];

const EXPLAINED = [...[...MOUNTS, ...RESET].map(routeCase), ...UNANSWERED];
const USUAL = [...ROWS.map(routeCase), ...REQUESTS];
const GROWN = [routeCase(['/grow', '/grow', 'grow']), routeCase(['/api/grown/7', '/api/grown/:id', 'grown'])];

for (const version of ['express4', 'express']) {
  describe(`${version}, by the table`, () => {
    inboundTable(APP, [mode('table'), ...USUAL, ...EXPLAINED, mode('table'), ...GROWN, mode('table')], {
      args: [version],
    });
  });

  describe(`${version}, followed because of a router that is not mounted`, () => {
    inboundTable(APP, [mode('followed'), ...USUAL, ...EXPLAINED, ...GROWN, mode('followed')], {
      args: [version, 'followed'],
    });
  });

  describe(`${version}, followed from the second mount of a router on`, () => {
    inboundTable(
      APP,
      [
        mode('table'),
        routeCase(['/mount-again', '/mount-again', 'mounted']),
        routeCase(['/again/users/7', '/again/users/:id', 'api-user']),
        mode('followed'),
        ...USUAL,
      ],
      { args: [version] },
    );
  });

  describe(`${version}, followed once a handler has called a mounted router itself`, () => {
    inboundTable(
      APP,
      [
        mode('table'),
        routeCase(['/api-by-hand/users/7', '/api-by-hand/users/:id', 'api-user']),
        mode('followed'),
        routeCase(['/api-by-hand/users/7/orders', '/api-by-hand/users/:id/orders', 'orders']),
        ...USUAL,
      ],
      { args: [version] },
    );
  });
}
