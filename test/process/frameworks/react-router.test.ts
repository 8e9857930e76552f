/** A small application of React Router's framework mode, on the oldest and the newest version. */
import { describe } from 'node:test';
import { BuiltApplication, type Row } from '../../support/built-application';

const ROWS: readonly Row[] = [
  { request: 'GET /shop/missing/at/all', status: 404 },
  { request: 'GET /shop/users/none', status: 404 },
  { request: 'GET /shop/', status: 200, path: '/shop' },
  { request: 'GET /shop/users/17', status: 200, path: '/shop/users/:id' },
  { request: 'GET /shop/users/18?a=b', status: 200, path: '/shop/users/:id' },
  { request: 'GET /shop/users/17/', status: 200, path: '/shop/users/:id' },
  { request: 'HEAD /shop/users/17', status: 200, path: '/shop/users/:id' },
  { request: 'GET /shop/users/17.data', status: 200, path: '/shop/users/:id', code: '' },
  { request: 'GET /shop/users/me', status: 200, path: '/shop/users/me' },
  { request: 'GET /shop/users/broken', status: 500, path: '/shop/users/:id' },
  { request: 'GET /shop/users/broken.data', status: 500, path: '/shop/users/:id', code: '' },
  { request: 'GET /shop/users/moved', status: 302, path: '/shop/users/:id' },
  { request: 'GET /shop/about', status: 200, path: '/shop/:lang?/about' },
  { request: 'GET /shop/de/about', status: 200, path: '/shop/:lang?/about' },
  { request: 'GET /shop/things/3', status: 200, path: '/shop/things/:thing' },
  { request: 'GET /shop/things/3/parts/4', status: 200, path: '/shop/things/:thing/parts/:part' },
  { request: 'GET /shop/files/a/b%20c', status: 200, path: '/shop/files/*', code: '0' },
  { request: 'GET /shop/api/items/17', status: 200, path: '/shop/api/items/:id', code: '0000' },
  {
    request: 'POST /shop/api/items/17',
    headers: { 'content-type': 'application/json' },
    body: '{"a":1}',
    status: 200,
    path: '/shop/api/items/:id',
    code: '0',
    answer: { code: '0', body: { a: 1 } },
  },
];
/** How a browser asks for routes that it does not know yet: version 7.0 compares no versions, and finds no routes asked for. */
const discovery = (status: number): Row => ({
  request: 'GET /shop/__manifest?version=none',
  status,
  path: '/shop/__manifest',
});
/** Version 7.0 has no address for the data of a base name's root. */
const rootData = (name: string): Row => ({ request: `GET /shop/${name}.data`, status: 200, path: '/shop', code: '' });
/** Served by express.static, mounted under the base name. */
const FILE: Row = { request: 'GET /shop/robots.txt', status: 200, path: '/shop/*' };
const OWN: Row = { request: 'GET /own/1', status: 200, path: '/own/:id', code: 'OWN' };

const packagesOf = (version: string, react: string, vite: string) => ({
  ...Object.fromEntries(['dev', 'express', 'node', 'serve'].map((name) => [`@react-router/${name}`, version])),
  'react-router': version,
  express: '4.22.2',
  isbot: '5.1.17',
  react,
  'react-dom': react,
  vite,
});
const VERSIONS = [
  { title: 'React Router 7.0', rows: [...ROWS, discovery(400)], packages: packagesOf('7.0.0', '18.3.1', '5.4.11') },
  {
    title: 'React Router 7.18',
    rows: [...ROWS, discovery(204), rootData('_root')],
    packages: packagesOf('7.18.4', '19.3.1', '7.1.12'),
  },
  {
    title: 'React Router 8',
    rows: [...ROWS, discovery(204), rootData('_')],
    packages: packagesOf('8.4.0', '19.3.1', '8.0.12'),
    line: 24,
  },
];

for (const { title, rows, ...recipe } of VERSIONS) {
  describe(title, () => {
    const application = new BuiltApplication({
      fixture: 'react-router',
      build: ['node_modules/.bin/react-router', 'build'],
      ...recipe,
    });
    application.it('by react-router-serve is counted by its templates, under its base name', () =>
      application.answers('node_modules/.bin/react-router-serve', [...rows, FILE], {
        args: ['build/server/index.js'],
        ready: /\[react-router-serve\] http:\/\/localhost:(\d+)/,
      }),
    );
    application.it('within an application of Express is counted by them, beside its routes', () =>
      application.answers('express.mjs', [...rows, FILE, OWN]),
    );
    application.it('within a server of Node is counted by them', () => application.answers('node.mjs', rows));
  });
}
