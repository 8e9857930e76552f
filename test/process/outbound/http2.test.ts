/** Sessions of node:http2 as partner calls, on every release line. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PARTNER, runApp } from '../../support/app';
import { short } from '../../support/client-app';
import { type Case, exchanges, OUTCOMES } from '../../support/client-cases';
import { describeOnLines } from '../../support/client-tests';
import { linesInTitle } from '../../support/node-versions';

const CASES: readonly Case[] = [
  ...OUTCOMES,
  { title: 'an answer over TLS', to: 'https', path: '/json', expect: ['j 200 A1'] },
  { title: 'a stream that is closed', path: '/never', order: { closeMs: 30 }, expect: [' 0 -1', ' aborted'] },
  { title: 'a session that is destroyed', path: '/never', order: { destroyMs: 30 }, expect: [' 0 -1', ' aborted'] },
  { title: 'a connection that the partner ends', path: '/hang-up', expect: [' 0 -1', ' reset'] },
];

describe(`HTTP/2 sessions on ${linesInTitle}`, () => {
  describeOnLines('http2', 'node:http2', ({ node, partner, itRecords, itCountsMixed }) => {
    for (const each of CASES) itRecords({ ...each, to: each.to ?? 'http2' }, { api: 'http2' });
    it('sees a program that imports connect by its name', async () => {
      const app = await runApp('test/fixtures/apps/http2-client.mjs', {
        node,
        args: [`${partner().http2}/json`],
        env: { CHANNEL_EXPORTER_PARTNERS: partner().file },
      });
      try {
        const metrics = await app.metricsWhen((it) => exchanges(it) > 0);
        assert.deepEqual(short(metrics.counts(PARTNER)), ['http2/j 200 A1']);
      } finally {
        await app.stop();
      }
    });
    itCountsMixed(['http2'], 'http2');
  });
});
