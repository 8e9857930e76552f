/** A small SvelteKit application built by the adapter for Node, on the oldest and the newest version. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe } from 'node:test';
import { BuiltApplication, type Row } from '../../support/built-application';

const ROWS: readonly Row[] = [
  { request: 'GET /shop/missing', status: 404 },
  { request: 'GET /elsewhere', status: 404 },
  { request: 'GET /shop/blog/none', status: 404 },
  { request: 'GET /shop/', status: 200, path: '/shop' },
  { request: 'GET /shop/blog/a-b', status: 200, path: '/shop/blog/[slug]' },
  { request: 'GET /shop/blog/a-b?c=d', status: 200, path: '/shop/blog/[slug]' },
  { request: 'HEAD /shop/blog/a-b', status: 200, path: '/shop/blog/[slug]' },
  { request: 'GET /shop/blog/a-b/__data.json', status: 200, path: '/shop/blog/[slug]', code: '' },
  { request: 'GET /shop/blog/inner', status: 200, path: '/shop/blog/[slug]' },
  { request: 'GET /shop/blog/broken', status: 500, path: '/shop/blog/[slug]' },
  { request: 'GET /shop/blog/moved', status: 303, path: '/shop/blog/[slug]' },
  { request: 'GET /shop/about', status: 200, path: '/shop/(group)/about/[[lang]]' },
  { request: 'GET /shop/about/de', status: 200, path: '/shop/(group)/about/[[lang]]' },
  { request: 'GET /shop/api/items/17', status: 200, path: '/shop/api/items/[id]', code: '0000' },
  {
    request: 'POST /shop/api/items/17',
    headers: { 'content-type': 'application/json' },
    body: '{"a":1}',
    status: 200,
    path: '/shop/api/items/[id]',
    code: '0',
    answer: { code: '0', body: { a: 1 } },
  },
  {
    request: 'DELETE /shop/api/items/17',
    headers: { 'content-type': 'application/json' },
    status: 405,
    path: '/shop/api/items/[id]',
  },
  { request: 'GET /shop/files/a/b%20c', status: 200, path: '/shop/files/[...path]', code: 'S1' },
  {
    request: 'GET /shop/blog/a-b',
    headers: { 'x-stop': 'first' },
    status: 403,
    path: '/shop/blog/[slug]',
    code: 'FIRST',
  },
  // what SvelteKit answers before it calls the hook, and what is a file
  { request: 'GET /shop/blog/a-b/', status: 308, path: '/shop/blog/a-b/' },
  { request: 'GET /shop/fixed', status: 200, path: '/shop/fixed' },
  { request: 'GET /shop/robots.txt', status: 200, path: '/shop/robots.txt' },
];
/** Since SvelteKit 2.3. */
const REROUTED: Row = { request: 'GET /shop/news', status: 200, path: '/shop/blog/[slug]' };
const FILES = { 'svelte.config.js': "import kit from './kit.config.js';\nexport default { kit };\n" };
const VERSIONS = [
  {
    title: 'SvelteKit 2.0',
    line: undefined,
    rows: ROWS,
    files: FILES,
    packages: {
      '@sveltejs/adapter-node': '2.0.0',
      '@sveltejs/kit': '2.0.0',
      '@sveltejs/vite-plugin-svelte': '3.0.0',
      svelte: '4.2.8',
      vite: '5.0.3',
    },
  },
  {
    title: 'SvelteKit 2.70',
    line: undefined,
    rows: [...ROWS, REROUTED],
    files: FILES,
    packages: {
      '@sveltejs/adapter-node': '5.5.7',
      '@sveltejs/kit': '2.70.4',
      '@sveltejs/vite-plugin-svelte': '6.2.1',
      svelte: '5.57.1',
      vite: '7.1.12',
    },
  },
  {
    title: 'SvelteKit 3',
    rows: [...ROWS, REROUTED],
    packages: {
      '@sveltejs/adapter-node': '6.0.1',
      '@sveltejs/kit': '3.2.0',
      '@sveltejs/vite-plugin-svelte': '7.0.0',
      svelte: '5.57.1',
      vite: '8.0.12',
    },
    line: 24,
  },
];
const START = {
  env: { ORIGIN: 'http://127.0.0.1' },
  ready: /Listening on \D*127\.0\.0\.1:(\d+)/,
};

for (const { title, rows, ...recipe } of VERSIONS) {
  describe(title, () => {
    const application = new BuiltApplication({
      fixture: 'sveltekit',
      isBundled: true,
      build: ['node_modules/vite/bin/vite.js', 'build'],
      ...recipe,
    });
    application.it('built for Node is counted by the ids of its routes, under its base path', () =>
      application.answers('build', rows, START),
    );
    // from SvelteKit 3 on, a built server imports the package
    if (recipe.line === undefined) {
      application.it('is so where its build is all that has been deployed', async () => {
        const deployed = mkdtempSync(join(tmpdir(), 'channel-exporter-deployed-'));
        after(() => rmSync(deployed, { recursive: true, force: true }));
        cpSync(join(application.folder, 'build'), join(deployed, 'build'), { recursive: true });
        writeFileSync(join(deployed, 'package.json'), '{"type":"module"}');
        await application.answers('build', rows, { ...START, cwd: deployed });
      });
    }
    application.it('within a server of the application is counted by them too', () =>
      application.answers('server.js', [...rows, { request: 'GET /own', status: 200, path: '/own', code: 'OWN' }]),
    );
  });
}
