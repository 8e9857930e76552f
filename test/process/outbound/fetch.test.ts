/** Node's own fetch as partner calls, on every release line. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ClientApp } from '../../support/client-app';
import { assertCase, type Case, callMixed, exchanges, OUTCOMES } from '../../support/client-cases';
import { linesInTitle, NODE_LINES, nodeOfLine } from '../../support/node-versions';
import { type Partner, startPartner } from '../../support/odd-partner';

const CASES: readonly Case[] = [
  ...OUTCOMES,
  { title: 'redirects, every hop its own exchange', path: '/redirect', expect: ['j 200 A1', 'r 302 R1', 's 303 -1'] },
  { title: 'a redirect not followed', path: '/redirect', order: { redirect: 'manual' }, expect: ['r 302 R1'] },
  { title: 'a peer with an unknown certificate', to: 'https', path: '/json', expect: ['j 0 -1', 'j tls'] },
];

describe(`fetch on ${linesInTitle}`, () => {
  for (const line of NODE_LINES) {
    const node = nodeOfLine(line);
    if (node === undefined) continue;
    describe(`fetch of Node ${line}`, () => {
      let partner: Partner;
      let apps: { plain: ClientApp; measured: ClientApp };
      before(async () => {
        partner = await startPartner();
        const options = { node, client: 'fetch' };
        const [plain, measured] = await Promise.all([
          ClientApp.start(options),
          ClientApp.start({ ...options, partners: partner.file }),
        ]);
        apps = { plain, measured };
      });
      after(async () => {
        await Promise.all([apps?.plain.stop(), apps?.measured.stop()]);
        await partner?.close();
      });

      for (const each of CASES) {
        if (each.only !== undefined && !each.only.includes('fetch')) continue;
        it(`records ${each.title} once`, () => assertCase(apps, partner, each, { api: 'fetch' }));
      }
      it('two thousand mixed calls, fifty at a time, are counted to the unit', async () => {
        const earlier = exchanges(await apps.measured.metrics());
        const made = await callMixed(apps.measured, partner, ['fetch'], 2000);
        const later = await apps.measured.metricsWhen((metrics) => exchanges(metrics) >= earlier + made);
        assert.equal(exchanges(later) - earlier, made);
      });
    });
  }
});
