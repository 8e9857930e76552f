/** Which route of React Router a path matches, and a request: the cases of its documentation, and hostile ones. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { templateOf } from '../../../src/instrumentations/frameworks/react-router';
import { type BuiltRoute, RouteBranches } from '../../../src/instrumentations/frameworks/react-router/branches';

/** Routes by id, of lines `id parent path`; an index route has no path but `index`, a layout has none. */
function tableOf(text: string): Record<string, BuiltRoute> {
  const lines = text.trim().split('\n');
  return Object.fromEntries(
    lines.map((line) => {
      const [id = '', parent = '', path] = line.trim().split(/ +/);
      const own = path === 'index' ? { index: true } : path === undefined ? {} : { path };
      return [id, { id, ...(parent === '-' ? {} : { parentId: parent }), ...own }];
    }),
  );
}

const ROUTES = tableOf(`
  root - /
  home root index
  catch root *
  users root users
  user users :id
  list users index
  me users me
  frame root
  about frame :lang?/about
  sitemap root sitemap.xml
  feed root :feed.xml
  files root files/*
  optional root shop/sale?/:item?
  absolute users /users/:id/edit
`);

describe('the route of React Router that a path matches', () => {
  const branches = new RouteBranches(ROUTES);
  for (const [path, template] of [
    ['/', '/'],
    ['/users', '/users'],
    ['/users/', '/users'],
    ['/users/17', '/users/:id'],
    ['/USERS/17//', '/users/:id'],
    ['/users/a%2Fb', '/users/:id'],
    ['/users/%E0%A4%A', '/users/:id'],
    ['/users/me', '/users/me'],
    ['/users/17/edit', '/users/:id/edit'],
    ['/users/17/other', '/*'],
    ['/users//17', '/*'],
    ['/about', '/:lang?/about'],
    ['/de/about', '/:lang?/about'],
    ['/de/at/about', '/*'],
    ['/sitemap.xml', '/sitemap.xml'],
    ['/sitemapxxml', '/*'],
    ['/news.xml', '/:feed.xml'],
    ['/files', '/files/*'],
    ['/files/a/b', '/files/*'],
    ['/filesystem', '/*'],
    ['/shop', '/shop/sale?/:item?'],
    ['/shop/sale', '/shop/sale?/:item?'],
    ['/shop/sale/3', '/shop/sale?/:item?'],
    ['/shop/3', '/shop/sale?/:item?'],
    ['/shop/3/4', '/*'],
  ] as const) {
    it(`${path} matches ${template}`, () => assert.equal(branches.match(path), template));
  }

  it('is none where none matches', () => {
    const some = new RouteBranches(tableOf('a - a\nb a b\nlayout -\nc layout c'));
    assert.deepEqual(
      ['/a', '/a/b', '/c', '/', '/b', '/A/B/C'].map((path) => some.match(path)),
      ['/a', '/a/b', '/c', undefined, undefined, undefined],
    );
  });

  it('of two routes of one rank is the one declared first', () => {
    const some = new RouteBranches(tableOf('first - :a/x\nsecond - :b/x'));
    assert.equal(some.match('/1/x'), '/:a/x');
  });

  it('is not looked for where routes have too many optional segments', () => {
    const deep = Object.fromEntries(
      Array.from({ length: 16 }, (_, i) => [
        `r${i}`,
        { id: `r${i}`, parentId: i > 0 ? `r${i - 1}` : '', path: `:p${i}?` },
      ]),
    );
    assert.throws(() => new RouteBranches(deep), RangeError);
  });

  it('is not looked for in a path that is too long', () => {
    const some = new RouteBranches(tableOf('a - :a'));
    assert.deepEqual(
      [2047, 2048].map((length) => some.match(`/${'a'.repeat(length)}`)),
      ['/:a', undefined],
    );
  });

  for (const { title, route, short, long } of [
    {
      title: 'a parameter before a literal',
      route: ':a/:b/x#',
      short: '/a/b/y',
      long: `/${'a'.repeat(1000)}/${'b'.repeat(1000)}/y`,
    },
    { title: 'a part of a segment', route: ':a.x#', short: '/a.x', long: `/${'.x'.repeat(1000)}` },
    { title: 'a splat', route: ':a/:b/x#/*', short: '/a/b/c/d', long: '/a'.repeat(1000) },
  ]) {
    it(`takes no longer to find for a long path, of routes with ${title}`, () => {
      const routes = Array.from({ length: 1000 }, (_, i) => `r${i} - ${route.replace('#', String(i))}`);
      const some = new RouteBranches(tableOf(routes.join('\n')));
      const microsOf = (path: string) => {
        const before = process.cpuUsage();
        for (let i = 0; i < 60; i++) some.match(path);
        return process.cpuUsage(before).user / 60;
      };
      const [a, b] = [0, 1, 2].map(() => [microsOf(short), microsOf(long)]).at(-1) as [number, number];
      // by a regular expression that has to go back in it, 50 times as long
      assert.ok(b < 20 * a + 200, `${a} and ${b} µs`);
    });
  }
});

describe('the template of a request to React Router', () => {
  const ROOTED = { routes: ROUTES };
  const BASED = { routes: ROUTES, basename: '/shop/' };
  for (const [title, build, request, template] of [
    ['a path', ROOTED, { url: '/users/17?a=b' }, '/users/:id'],
    ['the path that Express has shortened', ROOTED, { url: '/17', originalUrl: '/users/17' }, '/users/:id'],
    ['dots in it', ROOTED, { url: '/about/../users/./17' }, '/users/:id'],
    ['the data of a page', ROOTED, { url: '/users/17.data?_routes=x' }, '/users/:id'],
    ['the data of the root', ROOTED, { url: '/_root.data' }, '/'],
    ['the data of a page with a slash', ROOTED, { url: '/users/_.data' }, '/users'],
    ['the table of routes', ROOTED, { url: '/__manifest?p=/' }, '/__manifest'],
    ['a base name', BASED, { url: '/shop/users/17' }, '/shop/users/:id'],
    ['a base name in capitals', BASED, { url: '/SHOP/users/17' }, '/shop/users/:id'],
    ['its root', BASED, { url: '/shop' }, '/shop'],
    ['the data of its root', BASED, { url: '/shop/_root.data' }, '/shop'],
    ['another name', BASED, { url: '/shopping/users/17' }, undefined],
    ['a host', ROOTED, { url: 'http://host/users/17' }, '/users/:id'],
    ['what looks like a host', ROOTED, { url: '//users/17' }, '/*'],
    ['no path', ROOTED, { url: '*' }, undefined],
    ['nothing', ROOTED, {}, undefined],
  ] as const) {
    it(`is found of ${title}`, () => assert.equal(templateOf(build, request), template));
  }
});
