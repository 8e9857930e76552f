/** Sessions of node:http2 as partner calls, on every release line. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { PARTNER, runApp } from '../../support/app';
import { ClientApp, short } from '../../support/client-app';
import { assertCase, type Case, callMixed, exchanges, OUTCOMES } from '../../support/client-cases';
import { linesInTitle, NODE_LINES, nodeOfLine } from '../../support/node-versions';
import { type Partner, startPartner } from '../../support/odd-partner';

const CASES: readonly Case[] = [
  ...OUTCOMES,
  { title: 'an answer over TLS', to: 'https', path: '/json', expect: ['j 200 A1'] },
  { title: 'a stream that is closed', path: '/never', order: { closeMs: 30 }, expect: [' 0 -1', ' aborted'] },
  { title: 'a session that is destroyed', path: '/never', order: { destroyMs: 30 }, expect: [' 0 -1', ' aborted'] },
  { title: 'a connection that the partner ends', path: '/hang-up', expect: [' 0 -1', ' reset'] },
];

describe(`HTTP/2 sessions on ${linesInTitle}`, () => {
  for (const line of NODE_LINES) {
    const node = nodeOfLine(line);
    if (node === undefined) continue;
    describe(`http2 of Node ${line}`, () => {
      let partner: Partner;
      let apps: { plain: ClientApp; measured: ClientApp };
      before(async () => {
        partner = await startPartner();
        const options = { node, client: 'node:http2' };
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
        if (each.only !== undefined && !each.only.includes('http2')) continue;
        it(`a session records ${each.title} once`, () =>
          assertCase(apps, partner, { ...each, to: each.to ?? 'http2' }, { api: 'http2' }));
      }
      it('sees a program that imports connect by its name', async () => {
        const app = await runApp('test/fixtures/apps/http2-client.mjs', {
          node,
          args: [`${partner.http2}/json`],
          env: { CHANNEL_EXPORTER_PARTNERS: partner.file },
        });
        try {
          const metrics = await app.metricsWhen((it) => exchanges(it) > 0);
          assert.deepEqual(short(metrics.counts(PARTNER)), ['http2/j 200 A1']);
        } finally {
          await app.stop();
        }
      });
      it('two thousand mixed calls, fifty at a time, are counted to the unit', async () => {
        const earlier = exchanges(await apps.measured.metrics());
        const made = await callMixed(apps.measured, partner, ['http2'], 2000, 'http2');
        const later = await apps.measured.metricsWhen((metrics) => exchanges(metrics) >= earlier + made);
        assert.equal(exchanges(later) - earlier, made);
      });
    });
  }
});
