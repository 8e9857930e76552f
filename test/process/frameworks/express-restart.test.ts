/** Express applications whose routes were created before the exporter was shut down and started again. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type App, INNER, runApp } from '../../support/app';
import { FIXTURES } from '../../support/paths';

for (const version of ['express4', 'express']) {
  describe(`${version}, while the exporter is shut down and started again`, () => {
    let app: App;
    const ask = async (path: string) => (await fetch(`http://127.0.0.1:${app.port}${path}`)).text();
    before(async () => {
      app = await runApp(join(FIXTURES, 'apps/express-restart.js'), { nodeArgs: [], args: [version] });
    });
    after(() => app?.stop());

    it('the shutdown restores every method of the router', async () => {
      assert.deepEqual(JSON.parse(await ask('/restored')), ['use', 'route', 'handle']);
    });

    it('a route below a mount path with a parameter keeps its template', async () => {
      const url = await ask('/url');
      for (const tenant of [1, 2]) assert.equal(await ask(`/t/${tenant}/list`), '{"code":"tenant"}');
      const text = await (await fetch(url)).text();
      assert.match(text, new RegExp(`^${INNER}_count{.*path="/t/:tenant/list".*} 2$`, 'm'));
    });
  });
}
