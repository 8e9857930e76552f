/** By which path of nested routers of h3 a route was matched, and copies of h3 that look other than expected. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createH3Instrumentation, patchPrototype } from '../../../src/instrumentations/frameworks/h3';
import { H3Route } from '../../../src/instrumentations/frameworks/h3/h3-route';
import { routeOf } from '../../../src/instrumentations/inbound/routes';
import type { SourceContext } from '../../../src/instrumentations/instrumentation';

/** What happens to a request, in order: a path that is going to be matched, or a route that has been. */
type Step = string | { readonly path: string };

const CASES: readonly { title: string; whole: string; steps: readonly Step[]; template: string | undefined }[] = [
  { title: 'no route', whole: '/a', steps: ['/a'], template: undefined },
  { title: 'a route', whole: '/users/7', steps: ['/users/7', { path: '/users/:id' }], template: '/users/:id' },
  {
    title: 'paths read before and after',
    whole: '/users/7',
    steps: ['/users/7', '/users/7', { path: '/users/:id' }, '/users/7?a=b', '/other'],
    template: '/users/:id',
  },
  {
    title: 'a router at a prefix',
    whole: '/api/users/7',
    steps: ['/users/7?q', { path: '/users/:id' }, '/api/users/7'],
    template: '/api/users/:id',
  },
  {
    title: 'a router in a router',
    whole: '/api/users/7',
    steps: ['/api/users/7', { path: '/api/**' }, '/api/users/7', '/users/7', { path: '/users/:id' }],
    template: '/api/users/:id',
  },
  {
    title: 'a router in a router that has no route',
    whole: '/api/none',
    steps: ['/api/none', { path: '/api/**' }, '/none'],
    template: '/api/**',
  },
  {
    title: 'more slashes than one',
    whole: '/outer//api///users/7',
    steps: ['/users/7', { path: '/users/:id' }],
    template: '/outer/api/users/:id',
  },
  { title: 'the root of a prefix', whole: '/api', steps: ['/', { path: '/' }], template: '/api' },
  { title: 'the root', whole: '/', steps: ['/', { path: '/' }], template: '/' },
  { title: 'a path that was replaced', whole: '/a/7', steps: ['/b/7', { path: '/b/:id' }], template: '/b/:id' },
];

describe('a request of h3', () => {
  for (const { title, whole, steps, template } of CASES) {
    it(`with ${title} has the template ${template}`, () => {
      const context: { matchedRoute?: object } = {};
      const route = new H3Route(context, whole, '', () => whole);
      for (const step of steps) {
        if (typeof step === 'string') route.note(context, step);
        else context.matchedRoute = step;
      }
      assert.equal(route.template, template);
      assert.equal(route.template, template);
    });
  }

  it('keeps what another framework reported later', () => {
    const route = new H3Route({ matchedRoute: { route: '/**' } }, '/a', '', () => '/a');
    assert.equal(route.template, '/**');
    route.template = '/other/:id';
    assert.equal(route.template, '/other/:id');
  });
});

describe('a class', () => {
  const source = createH3Instrumentation();
  before(() => source.enable({} as SourceContext));
  after(() => source.disable());

  it('that is none of h3 is left alone', () => {
    for (const prototype of [
      {},
      { handler() {} },
      {
        get path() {
          return '';
        },
      },
    ]) {
      const before = Object.getOwnPropertyDescriptors(prototype);
      patchPrototype(prototype);
      assert.deepEqual(Object.getOwnPropertyDescriptors(prototype), before);
    }
  });

  it('whose events look other than expected works on', () => {
    class Core {
      handler(event: unknown): unknown {
        return event;
      }
      fetch(): void {}
      '~request'(): void {}
    }
    patchPrototype(Core.prototype);
    patchPrototype(Core.prototype);
    for (const event of [undefined, {}, { req: { runtime: { node: { req: {} } } } }]) {
      assert.equal(new Core().handler(event), event);
    }
    class H3Event {
      constructor(readonly node?: object) {}
      get path(): string {
        return '/a';
      }
      get method(): string {
        return '';
      }
      get handled(): boolean {
        return false;
      }
    }
    patchPrototype(H3Event.prototype);
    for (const node of [undefined, {}, { req: {} }]) assert.equal(new H3Event(node).path, '/a');
    const req = {};
    assert.equal(new H3Event({ req }).path, '/a');
    assert.equal(routeOf(req), undefined);
  });
});
