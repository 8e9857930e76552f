/** Inbound requests that are in no family are counted, by the reason why. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { INNER, runApp } from '../../support/app';

const FAMILY = 'channel_exporter_unrecorded_requests_total';

describe('a request that is not recorded', () => {
  for (const framework of ['express', 'express4']) {
    it(`is counted, by its reason, from zero on: ${framework}`, async () => {
      const app = await runApp('test/fixtures/apps/inbound-express.js', { args: [framework] });
      const counted = (metrics: Awaited<ReturnType<typeof app.metrics>>) =>
        Object.fromEntries(
          metrics.samples.filter(({ name }) => name === FAMILY).map(({ labels, value }) => [labels.reason, value]),
        );
      try {
        assert.deepEqual(counted(await app.metrics()), { not_found: 0, no_route: 0, ignored: 0 });
        for (const path of [
          '/status/404',
          '/nowhere',
          '/nowhere/else',
          '/api/nowhere',
          '/gone/1',
          '/healthcheck',
          '/healthcheck?a',
          '/healthcheck',
        ]) {
          await (await fetch(`http://127.0.0.1:${app.port}${path}`)).text();
        }
        const metrics = await app.metricsWhen((seen) => counted(seen).no_route === 4);
        assert.deepEqual(counted(metrics), { not_found: 1, no_route: 4, ignored: 3 });
        assert.deepEqual(metrics.counts(INNER), []);
      } finally {
        await app.stop();
      }
    });
  }
});
