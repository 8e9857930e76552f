/** When all templates of Express's routes are told before a request comes, and when requests have to be followed. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { Layer, LayerPath, Router } from '../../../../src/instrumentations/frameworks/express/layers';
import { RouteTable } from '../../../../src/instrumentations/frameworks/express/route-table';

const layerPaths = new WeakMap<object, LayerPath>();
let survey: RouteTable;

const router = (): Router => ({ stack: [] });

function addLayer(to: Router, template: string | undefined, rest: object): void {
  const layer = { match: () => true, ...rest } as Layer;
  to.stack.push(layer);
  layerPaths.set(layer, { router: to, template, probes: [], isKnown: true });
  survey.addLayerTo(to);
}

function addRoute(to: Router, template: string | undefined): object {
  const route = { stack: [] };
  addLayer(to, template, { route });
  return route;
}

const mount = (inner: Router, to: Router, template: string | undefined) => addLayer(to, template, { handle: inner });

describe('a survey of routers', () => {
  beforeEach(() => {
    survey = new RouteTable(layerPaths);
  });

  it('tells nothing before anything has come', () => {
    assert.equal(survey.hasChanged, false);
    assert.equal(survey.tellsAll(), false);
  });

  it('tells every route below its mounts, and where the handler runs', () => {
    const [root, api, orders] = [router(), router(), router()];
    const [home, list, order] = [addRoute(root, '/'), addRoute(api, '/'), addRoute(orders, '/:order')];
    mount(api, root, '/api');
    mount(orders, api, '/users/:id');
    addLayer(root, '/middleware', { handle: () => undefined });
    survey.addRoot(root);
    assert.equal(survey.hasChanged, true);
    assert.equal(survey.tellsAll(), true);
    assert.equal(survey.hasChanged, false);
    assert.deepEqual(survey.find(home), { template: '/', baseUrl: '' });
    assert.deepEqual(survey.find(list), { template: '/api', baseUrl: '/api' });
    assert.deepEqual(survey.find(order), { template: '/api/users/:id/:order', baseUrl: undefined });
    assert.equal(survey.find({}), undefined);
  });

  it('tells all of an application that is the listener of two servers, and of two applications', () => {
    const [first, second] = [router(), router()];
    const routes = [addRoute(first, '/first'), addRoute(second, '/second')];
    survey.addRoot(first);
    survey.addRoot(first);
    assert.equal(survey.tellsAll(), false, 'the second one is not reached yet');
    survey.addRoot(second);
    assert.equal(survey.tellsAll(), true);
    assert.deepEqual(
      routes.map((route) => survey.find(route)?.template),
      ['/first', '/second'],
    );
  });

  const undecided: Readonly<Record<string, (root: Router, inner: Router) => void>> = {
    'a router that is mounted twice': (root, inner) => {
      mount(inner, root, '/v1');
      mount(inner, root, '/v2');
    },
    'a router that is mounted in itself': (root, inner) => {
      mount(inner, root, '/v1');
      mount(inner, inner, '/again');
    },
    'a router that is not mounted': () => undefined,
    'a mount with several paths': (root, inner) => mount(inner, root, undefined),
    'a route with several paths': (root, inner) => {
      mount(inner, root, '/v1');
      addRoute(root, undefined);
    },
    'a layer of which nothing was noted': (root, inner) => {
      mount(inner, root, '/v1');
      root.stack.push({ match: () => true, route: { stack: [] } });
    },
  };
  for (const [what, arrange] of Object.entries(undecided)) {
    it(`does not tell all beside ${what}, and keeps what it told before`, () => {
      const root = router();
      const early = addRoute(root, '/early');
      survey.addRoot(root);
      assert.equal(survey.tellsAll(), true);
      const inner = router();
      addRoute(inner, '/inner');
      arrange(root, inner);
      survey.addLayerTo(root);
      assert.equal(survey.tellsAll(), false);
      assert.equal(survey.find(early)?.template, '/early');
    });
  }

  it('gives up an application that goes on making routes', () => {
    const root = router();
    survey.addRoot(root);
    for (let n = 0; n < 100; n++) {
      addRoute(root, `/${n}`);
      assert.equal(survey.tellsAll(), true);
    }
    addRoute(root, '/one-more');
    assert.equal(survey.tellsAll(), false);
    survey.addRoot(router());
    assert.equal(survey.tellsAll(), false);
  });

  it('tells nothing any more once it was given up', () => {
    const root = router();
    addRoute(root, '/');
    survey.addRoot(root);
    assert.equal(survey.tellsAll(), true);
    survey.giveUp();
    assert.equal(survey.tellsAll(), false);
    addRoute(root, '/later');
    assert.equal(survey.tellsAll(), false);
  });
});
