/** A small AdonisJS application, started as its own bin/server does, on the oldest and the newest version. */
import { describe } from 'node:test';
import { BuiltApplication, type Row } from '../../support/built-application';

const ROWS: readonly Row[] = [
  { request: 'GET /missing', status: 404 },
  { request: 'GET /soft-missing', status: 404 },
  { request: 'GET /posts/17', status: 404 },
  { request: 'GET /', status: 200, path: '/', code: '0' },
  { request: 'GET /plain', status: 200, path: '/plain' },
  { request: 'GET /api/users/17', status: 200, path: '/api/users/:id', code: '0000' },
  { request: 'GET /api/users/18?a=b', status: 200, path: '/api/users/:id', code: '0000' },
  // AdonisJS gives Node the body of GET, which Node does not send
  { request: 'HEAD /api/users/17', status: 200, path: '/api/users/:id', code: '0000' },
  { request: 'GET /api/nested/x/items/y', status: 200, path: '/api/nested/:a/items/:b?', code: '0' },
  { request: 'GET /api/nested/x/items', status: 200, path: '/api/nested/:a/items/:b?', code: '0' },
  { request: 'GET /files/a/b%20c', status: 200, path: '/files/*', code: '0' },
  { request: 'GET /posts/abc', status: 200, path: '/posts/:slug', code: '0' },
  { request: 'GET /api/throw/1', status: 500, path: '/api/throw/:id' },
  { request: 'GET /api/stream/1', status: 200, path: '/api/stream/:id', code: 'S1', answer: { code: 'S1' } },
  {
    request: 'GET /api/users/17',
    headers: { 'x-stop': 'first' },
    status: 403,
    path: '/api/users/17',
    code: 'FIRST',
  },
  {
    request: 'GET /api/users/17',
    headers: { 'x-stop': 'second' },
    status: 401,
    path: '/api/users/:id',
    code: 'SECOND',
  },
  {
    request: 'POST /api/echo',
    headers: { 'content-type': 'application/json' },
    body: '{"a":[1,"b"]}',
    status: 200,
    path: '/api/echo',
    code: '0',
    answer: { code: '0', body: { a: [1, 'b'] } },
  },
];
/** AdonisJS 7 does not start without. */
const ENCRYPTION = `import { defineConfig, drivers } from '@adonisjs/core/encryption';
const list = { main: drivers.aes256gcm({ id: 'main', keys: ['a-key-of-no-use-outside-of-a-test'] }) };
export default defineConfig({ default: 'main', list });
`;
const VERSIONS = [
  { title: 'AdonisJS 6', packages: { '@adonisjs/core': '6.2.0' } },
  {
    title: 'AdonisJS 7',
    packages: { '@adonisjs/core': '7.5.2' },
    line: 24,
    files: { 'config/encryption.js': ENCRYPTION },
  },
];

for (const { title, ...recipe } of VERSIONS) {
  describe(title, () => {
    const application = new BuiltApplication({ fixture: 'adonis', ...recipe });
    application.it('is counted by the patterns of its routes, with the prefixes of groups', () =>
      application.answers('server.js', ROWS, { env: { PORT: '0' } }),
    );
  });
}
