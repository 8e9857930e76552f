/** When all templates of Express's routes are known before a request comes, and when requests have to be followed. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { Layer, LayerPath, Router } from '../../../../src/instrumentations/frameworks/express/layers';
import { RouteTable } from '../../../../src/instrumentations/frameworks/express/route-table';

const layerPaths = new WeakMap<object, LayerPath>();
let table: RouteTable;

const router = (): Router => ({ stack: [] });

function addLayer(to: Router, template: string | undefined, rest: object): void {
  const layer = { match: () => true, ...rest } as Layer;
  to.stack.push(layer);
  layerPaths.set(layer, { router: to, template, probes: [], isKnown: true });
  table.addLayerTo(to);
}

function addRoute(to: Router, template: string | undefined): object {
  const route = { stack: [] };
  addLayer(to, template, { route });
  return route;
}

const mount = (inner: Router, to: Router, template: string | undefined) => addLayer(to, template, { handle: inner });

describe('a route table', () => {
  beforeEach(() => {
    table = new RouteTable(layerPaths);
  });

  it('is not complete before anything is known', () => {
    assert.equal(table.isStale, false);
    assert.equal(table.update(), false);
  });

  it('has every route below its mounts, and where the handler runs', () => {
    const [root, api, orders] = [router(), router(), router()];
    const [home, list, order] = [addRoute(root, '/'), addRoute(api, '/'), addRoute(orders, '/:order')];
    mount(api, root, '/api');
    mount(orders, api, '/users/:id');
    addLayer(root, '/middleware', { handle: () => undefined });
    table.addRoot(root);
    assert.equal(table.isStale, true);
    assert.equal(table.update(), true);
    assert.equal(table.isStale, false);
    assert.deepEqual(table.find(home), { template: '/', baseUrl: '' });
    assert.deepEqual(table.find(list), { template: '/api', baseUrl: '/api' });
    assert.deepEqual(table.find(order), { template: '/api/users/:id/:order', baseUrl: undefined });
    assert.equal(table.find({}), undefined);
  });

  it('has all of an application that is the listener of two servers, and of two applications', () => {
    const [first, second] = [router(), router()];
    const routes = [addRoute(first, '/first'), addRoute(second, '/second')];
    table.addRoot(first);
    table.addRoot(first);
    assert.equal(table.update(), false, 'the second one is not reached yet');
    table.addRoot(second);
    assert.equal(table.update(), true);
    assert.deepEqual(
      routes.map((route) => table.find(route)?.template),
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
    'a layer whose path is not known': (root, inner) => {
      mount(inner, root, '/v1');
      root.stack.push({ match: () => true, route: { stack: [] } });
    },
  };
  for (const [what, arrange] of Object.entries(undecided)) {
    it(`is not complete with ${what}, and keeps what it had before`, () => {
      const root = router();
      const early = addRoute(root, '/early');
      table.addRoot(root);
      assert.equal(table.update(), true);
      const inner = router();
      addRoute(inner, '/inner');
      arrange(root, inner);
      table.addLayerTo(root);
      assert.equal(table.update(), false);
      assert.equal(table.find(early)?.template, '/early');
    });
  }

  it('gives up an application that goes on making routes', () => {
    const root = router();
    table.addRoot(root);
    for (let n = 0; n < 100; n++) {
      addRoute(root, `/${n}`);
      assert.equal(table.update(), true);
    }
    addRoute(root, '/one-more');
    assert.equal(table.update(), false);
    table.addRoot(router());
    assert.equal(table.update(), false);
  });

  it('is never complete again once it was given up', () => {
    const root = router();
    addRoute(root, '/');
    table.addRoot(root);
    assert.equal(table.update(), true);
    table.giveUp();
    assert.equal(table.update(), false);
    addRoute(root, '/later');
    assert.equal(table.update(), false);
  });
});
