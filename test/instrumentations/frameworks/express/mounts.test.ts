/** The templates of mounts by the text that they have taken, and mounts that a path has twice. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Layer, layerPaths, type Router } from '../../../../src/instrumentations/frameworks/express/layers';
import {
  doubledPrefix,
  hasGrown,
  mountPrefix,
  withoutDoubled,
} from '../../../../src/instrumentations/frameworks/express/mounts';

/** A mount as in both versions of Express: the newer one returns what has matched, the older one leaves it on the layer. */
function mount(to: Router, template: string, takes: RegExp, handle: unknown = () => undefined): void {
  const layer: Layer = {
    handle,
    match(path) {
      const text = takes.exec(path)?.[0];
      if (to.strict !== true) return text !== undefined && { path: text };
      layer.path = text;
      return text !== undefined;
    },
  };
  to.stack.push(layer);
  layerPaths.set(layer, { router: to, template, probes: [], isKnown: true });
}

for (const isOld of [false, true]) {
  describe(`the mounts of ${isOld ? 'Express 4' : 'Express 5'}`, () => {
    const router = (): Router => ({ stack: [], strict: isOld });
    const root = router();
    const inner = router();
    root.stack.push({ match: () => assert.fail('a route is no mount'), route: {} });
    mount(root, '/', /^/);
    mount(root, '/:language', /^\/[^/]+/);
    mount(root, '/assets', /^\/assets(?=\/|$)/i);
    mount(root, '/t/:tenant', /^\/t\/[^/]+/, inner);
    root.stack.push({
      match() {
        throw new URIError('a value that cannot be decoded');
      },
    });
    mount(inner, '/files', /^\/files/);
    mount(inner, '/again', /^\/again/, inner);
    mount(root, '/last', /^\/last/);
    const cases: readonly [baseUrl: string, url: string, prefix: string | undefined][] = [
      ['/assets', '/a.js', '/assets'],
      ['/ASSETS', '/', '/assets'],
      ['/en', '/a', '/:language'],
      ['/t/acme', '/x', '/t/:tenant'],
      ['/t/acme/files', '/x', '/t/:tenant/files'],
      ['/t/acme/again', '/x', '/t/:tenant/again'],
      ['/t/acme/other', '/x', undefined],
      ['/last', '/x', '/last'],
    ];
    for (const again of [1, 2]) {
      for (const [baseUrl, url, prefix] of cases) {
        it(`${baseUrl} is taken by ${prefix ?? 'none'}, asked ${again}`, () => {
          assert.equal(mountPrefix(root, baseUrl, { baseUrl, url }), prefix);
        });
      }
    }
  });
}

describe('a mount that stands twice', () => {
  const cases: readonly [baseUrl: string, url: string, originalUrl: string, doubled: string | undefined][] = [
    ['/gw', '/gw/a', '/gw/a', '/gw'],
    ['/gw/gw/a', '/b', '/gw/a/b', '/gw'],
    ['', '/gw/gw/a?x=1', '/gw/a?x=1', '/gw'],
    ['/GW', '/gw/a', '/gw/a', '/GW'],
    ['/gw', '/gw', '/gw', '/gw'],
    ['/a/b', '/a/b/c', '/a/b/c', '/a/b'],
    ['/gw', '/a', '/gw/a', undefined],
    ['/gw', '/', '/gw', undefined],
    ['', '/home/', '/', undefined],
    ['', '/rewritten/1', '/a', undefined],
    ['/v1', '/v2/a', '/v1/a', undefined],
  ];
  for (const [baseUrl, url, originalUrl, doubled] of cases) {
    it(`${baseUrl}${url} for ${originalUrl} has ${doubled ?? 'none'}`, () => {
      const request = { baseUrl, url, originalUrl };
      assert.equal(hasGrown(request) ? doubledPrefix(request) : undefined, doubled);
    });
  }

  it('is left out of the template, by its text or its template', () => {
    assert.equal(withoutDoubled('/gw/gw/:id', '/gw', '/gw'), '/gw/:id');
    assert.equal(withoutDoubled('/Gw/gw/:id', '/gw', undefined), '/gw/:id');
    assert.equal(withoutDoubled('/t/:a/t/:a/x', '/t/7', '/t/:a'), '/t/:a/x');
    assert.equal(withoutDoubled('/gw/gw', '/gw', undefined), '/gw');
  });

  it('is left alone where the template has it once: the handler that answered has put the path back', () => {
    assert.equal(withoutDoubled('/gw', '/gw', undefined), '/gw');
    assert.equal(withoutDoubled('/gw/*', '/gw', '/gw'), '/gw/*');
    assert.equal(withoutDoubled('/gw/x/:id', '/gw', '/gw'), '/gw/x/:id');
    assert.equal(withoutDoubled('/t/:a/*', '/t/7', '/t/:a'), '/t/:a/*');
    assert.equal(withoutDoubled('/gwen/:id', '/gw', undefined), '/gwen/:id');
  });

  it('is not looked for where the application has put something else in place of a text', () => {
    for (const url of [null, 5, {}, undefined]) {
      for (const originalUrl of [null, {}]) {
        assert.equal(hasGrown({ baseUrl: '/gw', url, originalUrl } as object), false);
      }
    }
  });
});
