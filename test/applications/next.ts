/** A production build of Next.js: pages, route handlers, streams, redirects, static files. */
import { join } from 'node:path';
import type { Installation } from '../support/laid-application';
import { FIXTURES } from '../support/paths';
import { type Application, seriesOf } from './application';
import { type Answer, type Asked, exchange } from './exchange';

const NEXT = 'node_modules/next/dist/bin/next';
const QUIET = { NEXT_TELEMETRY_DISABLED: '1' };
const INSTALLATION: Installation = {
  name: 'next',
  manifest: {
    dependencies: { next: '16.4.6', react: '19.3.1', 'react-dom': '19.3.1' },
    // the image library is big and not needed
    overrides: { sharp: 'file:./no-sharp' },
  },
  files: join(FIXTURES, 'frameworks/next'),
  build: [NEXT, 'build'],
  env: { ...QUIET, NODE_ENV: 'production' },
};
const JSON_TYPE = { 'content-type': 'application/json' };

/** In order; what is counted of each stands beside it. */
const ROWS: readonly (readonly [asked: Asked, series?: string])[] = [
  [{ request: 'GET /shop' }, '/shop 200 -1'],
  [{ request: 'GET /shop', headers: { 'accept-encoding': 'gzip' } }, '/shop 200 -1'],
  [{ request: 'GET /shop', headers: { rsc: '1' } }, '/shop 307 -1'],
  [{ request: 'GET /shop/blog/a-b' }, '/shop/blog/[slug] 200 -1'],
  [{ request: 'HEAD /shop/blog/a-b' }, '/shop/blog/[slug] 200 -1'],
  [{ request: 'GET /shop/blog/broken' }, '/shop/blog/[slug] 500 -1'],
  [{ request: 'GET /shop/blog/none' }],
  [{ request: 'GET /shop/missing' }],
  [{ request: 'GET /' }],
  [{ request: 'GET /shop/' }, '/shop/ 308 -1'],
  [{ request: 'GET /shop/things/17?a=b' }, '/shop/things/[id] 200 7'],
  [{ request: 'POST /shop/things/1', headers: JSON_TYPE, body: '{"method_code":"J1"}' }, '/shop/things/[id] 200 0 J1'],
  [{ request: 'DELETE /shop/things/1' }, '/shop/things/[id] 405 -1'],
  [{ request: 'GET /shop/stream' }, '/shop/stream 200 S1'],
  [{ request: 'GET /shop/legacy/a/b' }, '/shop/legacy/[[...rest]] 200 -1'],
  [{ request: 'GET /shop/api/items/4' }, '/shop/api/items/[id] 200 0000'],
  [{ request: 'GET /shop/api/items/broken' }, '/shop/api/items/[id] 500 -1'],
];

export const next: Application = {
  name: 'Next.js',
  installation: INSTALLATION,
  start: ({ port }) => ({ args: [NEXT, 'start', '-p', String(port), '-H', '127.0.0.1'], env: QUIET }),
  ready: '/shop',
  async use({ port }) {
    const answers: Answer[] = [];
    for (const [asked] of ROWS) answers.push(await exchange(port, asked));
    return answers;
  },
  series: seriesOf(ROWS),
  load: { path: '/shop/things/17', series: '/shop/things/[id] 200 7', requests: 300 },
};
