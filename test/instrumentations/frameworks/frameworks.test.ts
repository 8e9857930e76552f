/** Packages whose insides look other than expected: they work on, and the request keeps its concrete path. */
import assert from 'node:assert/strict';
import { channel } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { createFastifyInstrumentation } from '../../../src/instrumentations/frameworks/fastify';
import { createHapiInstrumentation, patchRequest } from '../../../src/instrumentations/frameworks/hapi';
import { createKoaInstrumentation, patchContext } from '../../../src/instrumentations/frameworks/koa';
import { createNextInstrumentation } from '../../../src/instrumentations/frameworks/next';
import { mountOf, routeOf } from '../../../src/instrumentations/inbound/routes';
import type { Instrumentation, SourceContext } from '../../../src/instrumentations/instrumentation';

const routeOfFake = (request: object) => routeOf(request as IncomingMessage);

/** Has a source observe for the tests of a block. */
function observing(source: Instrumentation): void {
  before(() => source.enable({} as SourceContext));
  after(() => source.disable());
}

describe('Fastify', () => {
  observing(createFastifyInstrumentation());

  type Hook = (request: object, reply: object, done: () => void) => void;
  const KEY = Symbol('fastify.context');

  /** What an instance that is given out is asked to add. */
  function hookOf(instance: object = {}): Hook | undefined {
    let hook: Hook | undefined;
    const addHook = (_name: string, added: Hook) => {
      hook = added;
    };
    channel('fastify.initialization').publish({ fastify: { addHook, ...instance } });
    return hook;
  }

  const requests: { title: string; request: object; route: string | undefined }[] = [
    { title: 'the private context', request: { [KEY]: { config: { url: '/a/:id' } } }, route: '/a/:id' },
    { title: 'the public options, without a private context', request: { routeOptions: { url: '/b' } }, route: '/b' },
    {
      title: 'the public options, with another private context',
      request: { [KEY]: { other: true }, routeOptions: { url: '/c' } },
      route: '/c',
    },
    { title: 'the property of the first versions', request: { routerPath: '/d' }, route: '/d' },
    { title: 'no route', request: { [KEY]: { config: {} } }, route: undefined },
    { title: 'neither', request: {}, route: undefined },
    { title: 'a template that is no text', request: { routeOptions: { url: ['/e'] } }, route: undefined },
  ];
  for (const { title, request, route } of requests) {
    it(`a request with ${title} has ${route === undefined ? 'no route' : 'its route'} and goes on at once`, () => {
      const raw = {};
      let hasGoneOn = false;
      hookOf()?.({ raw, ...request }, {}, () => {
        hasGoneOn = true;
      });
      assert.ok(hasGoneOn);
      assert.equal(routeOfFake(raw), route);
    });
  }

  it('a request whose properties throw goes on', () => {
    let hasGoneOn = false;
    const request = {
      get routeOptions() {
        throw new Error('no options');
      },
    };
    hookOf()?.(request, {}, () => {
      hasGoneOn = true;
    });
    assert.ok(hasGoneOn);
  });

  it('an instance without hooks, and a message without an instance, are left alone', () => {
    assert.equal(hookOf({ addHook: undefined }), undefined);
    channel('fastify.initialization').publish({});
    channel('fastify.initialization').publish(undefined);
  });
});

describe('Koa', () => {
  observing(createKoaInstrumentation());

  const METHODS = { onerror() {}, throw() {}, toJSON() {}, inspect() {} };

  it('a file of the same name that is no context of Koa is left alone', () => {
    const others = [undefined, null, () => undefined, {}, { ...METHODS, inspect: undefined }];
    for (const other of others) {
      patchContext(other);
      if (typeof other === 'object' && other !== null) assert.ok(!('_matchedRoute' in other));
    }
  });

  it('a context that has the property already is left alone', () => {
    const context = { ...METHODS, _matchedRoute: 'its own' };
    patchContext(context);
    assert.deepEqual(Object.getOwnPropertyDescriptor(context, '_matchedRoute')?.value, 'its own');
  });

  it('a context whose path is no accessor, or that has a mount path, keeps what is written there', () => {
    for (const own of [
      { path: '/a' },
      { mountPath: '/a' },
      {
        get path() {
          return '/a';
        },
      },
    ]) {
      const prototype = Object.defineProperties({ ...METHODS }, Object.getOwnPropertyDescriptors(own));
      patchContext(prototype);
      const context = Object.assign(Object.create(prototype), { req: {}, mountPath: '/m' });
      assert.equal(context.mountPath, '/m');
      assert.ok(Object.hasOwn(context, 'mountPath'));
    }
  });

  it('a path that the application sets itself after a mount path is no mount', () => {
    let path = '/t/acme/x';
    const prototype = Object.defineProperty({ ...METHODS }, 'path', {
      get: () => path,
      set: (value) => {
        path = value;
      },
      configurable: true,
    });
    patchContext(prototype);
    const context = Object.assign(Object.create(prototype), { req: {}, res: {}, response: {}, originalUrl: path });
    context.mountPath = '/t';
    context.path = '/elsewhere';
    context.body = 'answered';
    assert.equal(path, '/elsewhere');
    assert.equal(context.mountPath, '/t');
    assert.equal(mountOf(context.req), undefined);
    path = '/t/acme/x';
    context.body = undefined;
    context.mountPath = '/t';
    context.path = '/acme/x';
    assert.equal(mountOf(context.req), '/t/*');
  });

  /** A context as a request would get it, with what a router leaves on it. */
  function contextOf(properties: object): { req: object; _matchedRoute?: unknown } {
    const prototype = { ...METHODS };
    patchContext(prototype);
    return Object.assign(Object.create(prototype), { req: {}, method: 'GET', path: '/', originalUrl: '/' }, properties);
  }

  const unknown: { title: string; properties: object }[] = [
    { title: 'no layers', properties: {} },
    { title: 'layers in another form', properties: { matched: [{}, null] } },
    { title: 'something else for layers', properties: { matched: 'layers' } },
    { title: 'layers of other methods', properties: { matched: [{ path: '/a', methods: ['PUT'] }] } },
  ];
  for (const { title, properties } of unknown) {
    it(`with ${title}, the property keeps what a router writes, and there is no route`, () => {
      const context = contextOf(properties);
      assert.equal(context._matchedRoute, undefined);
      context._matchedRoute = '/a';
      assert.equal(context._matchedRoute, '/a');
      context._matchedRoute = undefined;
      assert.equal(context._matchedRoute, undefined);
      assert.equal(routeOfFake(context.req), undefined);
    });
  }

  it('middleware of the same path before each of two routes stands for the route that comes', () => {
    const use = { path: '/api', methods: [] };
    const first = { path: '/api/:id', methods: ['HEAD', 'GET'] };
    const second = { path: '/api/*rest', methods: ['HEAD', 'GET'] };
    const context = contextOf({ matched: [use, first, use, second] });
    const routes = ['/api/*rest', '/api', '/api/:id', '/api', '/api/*rest'].map((path) => {
      context._matchedRoute = path;
      return routeOfFake(context.req);
    });
    assert.deepEqual(routes, ['/api/:id', '/api/:id', '/api/:id', '/api/*rest', '/api/*rest']);
  });

  const mounts: { mountPath: string; originalUrl: string; path: string; route: string }[] = [
    { mountPath: '/m', originalUrl: '/m/x/1?a=/x/1', path: '/x/1', route: '/m/x/:id' },
    { mountPath: '/m/', originalUrl: '/m/x/1', path: '/x/1', route: '/m/x/:id' },
    { mountPath: '/inner', originalUrl: '/outer/inner/x/1', path: '/x/1', route: '/outer/inner/x/:id' },
    { mountPath: '/left', originalUrl: '/x/1', path: '/x/1', route: '/x/:id' },
    { mountPath: '/left', originalUrl: '/tenant-7/x/1', path: '/x/1', route: '/x/:id' },
    { mountPath: '/m', originalUrl: '/rewritten', path: '/x/1', route: '/x/:id' },
  ];
  for (const { mountPath, originalUrl, path, route } of mounts) {
    it(`${originalUrl} mounted at ${mountPath} and routed as ${path} is ${route}`, () => {
      const context = contextOf({ mountPath, originalUrl, path, matched: [{ path: '/x/:id', methods: ['GET'] }] });
      context._matchedRoute = '/x/:id';
      assert.equal(routeOfFake(context.req), route);
    });
  }
});

describe('Hapi', () => {
  observing(createHapiInstrumentation());

  it('a file of the same name that is no request of Hapi is left alone', () => {
    class Other {
      _lookup() {
        return 'found';
      }
    }
    const before = Other.prototype._lookup;
    for (const other of [undefined, {}, () => undefined, Other]) patchRequest(other);
    assert.equal(Other.prototype._lookup, before);
  });

  const requests: { title: string; properties: object; route: string | undefined }[] = [
    { title: 'a route', properties: { route: { path: '/a/{id}' }, _route: { _special: false } }, route: '/a/{id}' },
    {
      title: 'a special route',
      properties: { route: { path: '/{p*}' }, _route: { _special: true } },
      route: undefined,
    },
    { title: 'no private side', properties: { route: { path: '/a' } }, route: undefined },
    { title: 'no route at all', properties: {}, route: undefined },
  ];
  for (const { title, properties, route } of requests) {
    it(`a request with ${title} is looked up as ever`, () => {
      class Request {
        raw = { req: {} };
        _execute() {}
        _lookup() {
          return 'found';
        }
      }
      patchRequest(Request);
      const request = Object.assign(new Request(), properties);
      assert.equal(request._lookup(), 'found');
      assert.equal(routeOfFake(request.raw.req), route);
    });
  }

  it('a request is left alone while nothing is observed, and has its route again later', () => {
    class Request {
      raw = { req: {} };
      route = { path: '/a' };
      _route = { _special: false };
      _execute() {}
      _lookup() {}
    }
    patchRequest(Request);
    const [meanwhile, later] = [new Request(), new Request()];
    const source = createHapiInstrumentation();
    source.disable();
    meanwhile._lookup();
    source.enable({} as SourceContext);
    later._lookup();
    assert.deepEqual(
      [meanwhile, later].map((request) => routeOfFake(request.raw.req)),
      [undefined, '/a'],
    );
  });

  it('an error of the lookup is the application’s', () => {
    class Request {
      _execute() {}
      _lookup() {
        throw new TypeError('its own');
      }
    }
    patchRequest(Request);
    assert.throws(() => new Request()._lookup(), { message: 'its own' });
  });
});

describe('Next.js', () => {
  observing(createNextInstrumentation());

  const META = Symbol.for('NextInternalRequestMeta');
  const SERVERS = Symbol.for('@next/router-server-methods');
  const servers = globalThis as { [SERVERS]?: object };
  before(() => {
    servers[SERVERS] = { shop: { nextConfig: { basePath: '/shop' } }, bare: { nextConfig: { basePath: '' } }, odd: {} };
  });
  after(() => {
    delete servers[SERVERS];
  });

  const page = { definition: { pathname: '/blog/[slug]' } };
  const requests: { title: string; request: object; route: string | undefined }[] = [
    { title: 'a page', request: { [META]: { match: page } }, route: '/blog/[slug]' },
    {
      title: 'a base path',
      request: { [META]: { match: page, relativeProjectDir: 'shop' } },
      route: '/shop/blog/[slug]',
    },
    {
      title: 'the root of a base path',
      request: { [META]: { match: { definition: { pathname: '/' } }, relativeProjectDir: 'shop' } },
      route: '/shop',
    },
    {
      title: 'an empty base path',
      request: { [META]: { match: page, relativeProjectDir: 'bare' } },
      route: '/blog/[slug]',
    },
    {
      title: 'unknown settings',
      request: { [META]: { match: page, relativeProjectDir: 'odd' } },
      route: '/blog/[slug]',
    },
    {
      title: 'an error page in place of a page',
      request: { [META]: { match: { definition: { pathname: '/_error' } }, invokeOutput: '/legacy/[id]' } },
      route: '/legacy/[id]',
    },
    {
      title: 'an error page for no page',
      request: { [META]: { match: { definition: { pathname: '/_error' } } } },
      route: undefined,
    },
    { title: 'no page', request: { [META]: {} }, route: undefined },
    { title: 'a match in another form', request: { [META]: { match: '/blog/[slug]' } }, route: undefined },
    { title: 'nothing of Next.js', request: {}, route: undefined },
  ];
  for (const { title, request, route } of requests) {
    it(`a request with ${title} is ${route ?? 'left to its concrete path'}`, () => {
      assert.equal(routeOfFake(request), route);
    });
  }
});
