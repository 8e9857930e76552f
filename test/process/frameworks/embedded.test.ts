/**
 * Hono and h3 where Node's request does not come to them by their own server: within Express, srvx, a `fetch` around; and
 * where their files are none of their own, in a bundle.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { INNER, runApp } from '../../support/app';
import { openBundles } from '../../support/bundle';
import { FIXTURES } from '../../support/paths';

const ARGS = ['embedded', 'express', 'hono', '@hono/node-server', 'h3', 'old-h3', 'srvx/node'];

/** Paths and their templates. The mount path of Express is part of them where it has no values in it. */
const ROWS = {
  '/wrapped/users/17': '/wrapped/users/:id',
  '/srvx/users/17': '/srvx/users/:id',
  '/mounted/hono/users/17': '/mounted/hono/users/:id',
  '/mounted/h3/users/17': '/mounted/h3/users/:id',
  '/mounted/old-h3/api/users/17': '/mounted/old-h3/api/users/:id',
  // Express does not mind the case
  '/MOUNTED/hoNo/users/17': '/mounted/hono/users/:id',
  '/outer/inner/DEEP/users/17': '/Outer/inner/deep/users/:id',
  '/shops/7/deep/users/17': '/users/:id',
  '/tenants/4/hono/users/17': '/users/:id',
  '/tenants/5/h3/users/17': '/users/:id',
  '/tenants/6/old-h3/api/users/17': '/api/users/:id',
};

for (const launcher of ['cjs.js', 'esm.mjs']) {
  it(`applications within others have their templates: ${launcher}`, async () => {
    const app = await runApp(`test/fixtures/frameworks/${launcher}`, { args: ARGS });
    try {
      for (const path of Object.keys(ROWS)) {
        const response = await fetch(`http://127.0.0.1:${app.port}${path}`);
        assert.equal(await response.text(), '{"code":"0"}', path);
      }
      const wanted = Object.values(ROWS);
      const metrics = await app.metricsWhen(
        (now) => now.counts(INNER).reduce((sum, { count }) => sum + count, 0) >= wanted.length,
      );
      const counted = metrics
        .counts(INNER)
        .flatMap(({ labels, count }) => Array<string>(count).fill(String(labels.path)));
      assert.deepEqual(counted.sort(), wanted.sort());
    } finally {
      await app.stop();
    }
  });
}

it('Hono and h3 in a bundle have their templates where they are handed in', async () => {
  const bundles = openBundles();
  try {
    const file = await bundles.makeFrom('esbuild', join(FIXTURES, 'bundles/web.js'), { minify: true, external: [] });
    const app = await runApp(file);
    try {
      const names = ['h3', 'hono', 'old-h3'];
      for (const name of names) {
        assert.equal(await (await fetch(`http://127.0.0.1:${app.port}/${name}/17`)).text(), 'ok');
      }
      const metrics = await app.metricsWhen((now) => now.counts(INNER).length >= names.length);
      const paths = metrics.counts(INNER).map(({ labels }) => labels.path);
      assert.deepEqual(
        paths.sort(),
        names.map((name) => `/${name}/:id`),
      );
    } finally {
      await app.stop();
    }
  } finally {
    bundles.remove();
  }
});
