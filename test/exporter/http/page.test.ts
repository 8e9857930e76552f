/** How the server of the scrape answers for the page; what the page is, test/process/page tells. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setLogLevel } from '../../../src/diagnostics/log';
import { createMetricsServer, type MetricsServer } from '../../../src/exporter/http/server';
import type { Form } from '../../../src/exporter/scrape';

const asked: Form[] = [];
const scrape = async (form: Form) => {
  asked.push(form);
  return { headers: { 'Content-Type': 'text/plain' }, chunks: [Buffer.from('x 1\n')] };
};

async function listening(page: boolean): Promise<{ readonly server: MetricsServer; readonly origin: string }> {
  const server = createMetricsServer(scrape, { port: 0, host: '127.0.0.1', page });
  await server.listen();
  return { server, origin: new URL(server.url).origin };
}

describe('the server, of the page', () => {
  let withPage: Awaited<ReturnType<typeof listening>>;
  let without: Awaited<ReturnType<typeof listening>>;
  before(async () => {
    setLogLevel('none');
    [withPage, without] = await Promise.all([listening(true), listening(false)]);
  });
  after(async () => {
    await Promise.all([withPage.server.close(), without.server.close()]);
    setLogLevel('info');
  });

  const detailsOf = async (origin: string, target: string) => {
    asked.length = 0;
    assert.equal((await fetch(origin + target)).status, 200);
    return asked.map(({ hasDetails = false }) => hasDetails);
  };

  for (const [target, hasDetails] of [
    ['/metrics', false],
    ['/metrics?details', true],
    ['/metrics?name[]=x&details', true],
    ['/metrics?details&x', true],
    ['/metrics?details=no', false],
    ['/metrics?nodetails', false],
    ['/metrics?x=?details', false],
  ] as const) {
    it(`gives details ${hasDetails ? 'to' : 'not to'} ${target}, and never without the page`, async () => {
      assert.deepEqual(await detailsOf(withPage.origin, target), [hasDetails]);
      assert.deepEqual(await detailsOf(without.origin, target), [false]);
    });
  }

  it('takes a long query in a time proportional to it', async () => {
    const start = process.cpuUsage();
    await detailsOf(withPage.origin, `/metrics?${'?&details'.repeat(1_500)}`);
    const { user, system } = process.cpuUsage(start);
    assert.ok(user + system < 1_000_000, `${user + system} µs`);
  });

  it('refuses methods other than GET and HEAD, and has nothing where it is off', async () => {
    const refused = await fetch(withPage.origin, { method: 'DELETE' });
    assert.deepEqual([refused.status, refused.headers.get('allow')], [405, 'GET, HEAD']);
    assert.equal((await fetch(without.origin)).status, 404);
    assert.equal((await fetch(`${withPage.origin}/?x`, { method: 'POST' })).status, 405, 'a query changes nothing');
  });

  it('says that a page cannot be read, each time anew, and serves the scrape', async () => {
    // tests run beside no page: it is built into dist alone
    for (let i = 0; i < 2; i++) {
      const response = await fetch(withPage.origin);
      assert.equal(response.status, 500);
      assert.equal(await response.text(), 'The page could not be read; the log of the service says why.\n');
    }
    assert.equal((await fetch(`${withPage.origin}/metrics`)).status, 200);
  });
});
