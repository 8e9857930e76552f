/** Which of the matched handlers of Hono is the route, and copies of Hono that look other than expected. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createHonoInstrumentation, patchRouter } from '../../../src/instrumentations/frameworks/hono';
import type { HonoContext } from '../../../src/instrumentations/frameworks/hono/hono-route';
import { nodeRequestOf } from '../../../src/instrumentations/frameworks/hono/node-request';
import { chooseRoute, type Handler, mountHandlers } from '../../../src/instrumentations/frameworks/hono/route-choice';
import { routeOf } from '../../../src/instrumentations/inbound/routes';
import type { SourceContext } from '../../../src/instrumentations/instrumentation';

const answers: Handler = (_context: unknown) => undefined;
const takesNext: Handler = (_context: unknown, _next: unknown) => undefined;
const mounted: Handler = (_context: unknown, _next: unknown) => undefined;
mountHandlers.add(mounted);
/** As Hono wraps the handler of an application with an `onError`. */
const composed = (inside: Handler): Handler =>
  Object.assign((_context: unknown, _next: unknown) => undefined, { __COMPOSED_HANDLER: inside });

type Matched = readonly [method: string, path: string, handler: Handler];
const LOGGER: Matched = ['ALL', '/*', takesNext];
const ROUTE: Matched = ['GET', '/users/:id', answers];

const CASES: readonly { title: string; matched: readonly Matched[]; reached?: number; path: string | undefined }[] = [
  { title: 'nothing', matched: [], path: undefined },
  { title: 'middleware alone', matched: [LOGGER, LOGGER], reached: 1, path: undefined },
  { title: 'a route alone', matched: [ROUTE], path: '/users/:id' },
  { title: 'a route behind middleware', matched: [LOGGER, ROUTE], reached: 1, path: '/users/:id' },
  { title: 'middleware that answers before its route', matched: [LOGGER, ROUTE], path: '/users/:id' },
  {
    title: 'middleware of the route that answers',
    matched: [LOGGER, ['GET', '/users/:id', takesNext], ROUTE],
    reached: 1,
    path: '/users/:id',
  },
  {
    title: 'a route before a wildcard that has not been asked',
    matched: [ROUTE, ['GET', '/*', answers]],
    path: '/users/:id',
  },
  {
    title: 'a wildcard behind a route that handed on',
    matched: [ROUTE, ['GET', '/*', answers]],
    reached: 1,
    path: '/*',
  },
  { title: 'a cache at a wildcard that answers', matched: [['GET', '/*', takesNext], ROUTE], path: '/users/:id' },
  { title: 'files at a wildcard', matched: [LOGGER, ['GET', '/assets/*', takesNext]], reached: 1, path: '/assets/*' },
  {
    title: 'middleware before files and a route',
    matched: [LOGGER, ['GET', '/*', takesNext], ROUTE],
    path: '/users/:id',
  },
  { title: 'middleware before files', matched: [LOGGER, ['GET', '/*', takesNext]], path: '/*' },
  { title: 'a handler of all methods', matched: [['ALL', '/rpc/*', answers]], path: '/rpc/*' },
  { title: 'a mounted application', matched: [LOGGER, ['ALL', '/old/*', mounted], ROUTE], reached: 1, path: '/old/*' },
  {
    title: 'a mounted application inside one with an error handler',
    matched: [['ALL', '/old/*', composed(mounted)]],
    path: '/old/*',
  },
  {
    title: 'a handler of all methods inside one with an error handler',
    matched: [['ALL', '/rpc', composed(composed(answers))]],
    path: '/rpc',
  },
  { title: 'middleware behind a route that handed on', matched: [ROUTE, LOGGER], reached: 1, path: '/users/:id' },
  { title: 'a position out of range', matched: [LOGGER, ROUTE], reached: 7, path: '/users/:id' },
];

describe('of the matched handlers of Hono', () => {
  for (const { title, matched, reached = 0, path } of CASES) {
    it(`${title}: ${path ?? 'no route'}`, () => {
      const routes = matched.map(([method, template, handler]) => ({ method, path: template, handler }));
      assert.equal(chooseRoute(routes, reached)?.path, path);
    });
  }
});

describe("Node's request", () => {
  const incoming = {};
  const key = Symbol('incomingKey');
  const cases: readonly { title: string; env?: object; raw?: object; expected: object | undefined }[] = [
    { title: 'a binding', env: { incoming }, expected: incoming },
    { title: 'the Request of srvx', raw: { runtime: { node: { req: incoming } } }, expected: incoming },
    { title: 'the Request of @hono/node-server', env: { DB: {} }, raw: { [key]: incoming }, expected: incoming },
    {
      title: 'that of another copy',
      raw: { [Symbol('incomingKey')]: incoming },
      expected: incoming,
    },
    { title: 'bindings of the application', env: { incoming: 'text' }, expected: undefined },
    { title: 'a Request of the application', raw: new Request('http://localhost/'), expected: undefined },
  ];
  for (const { title, env, raw = {}, expected } of cases) {
    it(`is found by ${title}`, () => {
      assert.equal(nodeRequestOf({ env, req: { raw } } as unknown as HonoContext), expected);
    });
  }
});

describe('a router', () => {
  const source = createHonoInstrumentation();
  before(() => source.enable({} as SourceContext));
  after(() => source.disable());

  function routerOf(): { added: unknown[][]; add(...args: unknown[]): string } {
    class Router {
      readonly added: unknown[][] = [];
      add(...args: unknown[]): string {
        this.added.push(args);
        return 'own';
      }
      match(): void {}
    }
    patchRouter(Router.prototype);
    return new Router();
  }

  it('gets what is no handler of Hono as it is', () => {
    const values = [undefined, 'text', [], [answers], [answers, undefined], [answers, { handler: takesNext }]];
    for (const value of values) {
      const router = routerOf();
      assert.equal(router.add('GET', '/', value, 'more'), 'own');
      assert.deepEqual(router.added, [['GET', '/', value, 'more']]);
      assert.equal(router.added[0]?.[2], value);
    }
  });

  it('gets each handler wrapped once, which hands on whatever it is given', () => {
    const router = routerOf();
    const called: unknown[] = [];
    const handler: Handler = function (this: unknown, context, next) {
      called.push(this, context, next);
      return 'answer';
    };
    const route = { method: 'GET', path: '/', handler };
    router.add('GET', '/', [handler, route]);
    const entry = router.added[0]?.[2] as [Handler, unknown];
    assert.notEqual(entry[0], handler);
    assert.equal(entry[1], route);
    router.add('GET', '/', entry);
    assert.equal(router.added[1]?.[2], entry);
    const holder = {};
    for (const context of [undefined, null, {}, { env: {}, req: null }]) {
      called.length = 0;
      assert.equal(entry[0].call(holder, context, 'next'), 'answer');
      assert.deepEqual(called, [holder, context, 'next']);
    }
  });

  it('whose requests look other than expected leads to no route', () => {
    const router = routerOf();
    router.add('GET', '/', [answers, { method: 'GET', path: '/', handler: answers }]);
    const [entry] = router.added;
    const [observed] = (entry as unknown[])[2] as [Handler];
    for (const req of [{ path: '/' }, { path: '/', matchedRoutes: [] }]) {
      const incoming = {};
      observed({ env: { incoming }, req }, undefined);
      assert.equal(routeOf(incoming), undefined);
    }
  });
});
