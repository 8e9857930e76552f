/** What an application's own async_hooks see of the exporter while requests are answered and partners called. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { INNER, PARTNER, runApp } from '../../support/app';
import { FIXTURES } from '../../support/paths';
import { freePort } from '../../support/waiting';

/** As the program makes them in each phase. */
const REQUESTS = 50;

type Counts = Readonly<Record<string, Readonly<Record<string, number>>>>;

describe('async_hooks of the application', () => {
  const folder = mkdtempSync(join(tmpdir(), 'channel-exporter-'));
  const file = join(folder, 'partners.json');
  let bare: Counts;
  let observed: Counts;
  before(async () => {
    const port = await freePort();
    // the program calls itself, and so is its own partner
    writeFileSync(file, JSON.stringify({ hosts: { [`127.0.0.1:${port}`]: { partner: '12' } } }));
    const run = async (nodeArgs: readonly string[]): Promise<Counts> => {
      const env = { CHANNEL_EXPORTER_PARTNERS: file, APP_PORT: String(port) };
      const app = await runApp(join(FIXTURES, 'neighbours/async-resources.cjs'), { nodeArgs, env });
      if (nodeArgs.length > 0) {
        const made = 3 * (REQUESTS + 1);
        await app.metricsWhen((metrics) =>
          [INNER, PARTNER].every(
            (family) => metrics.counts(family).reduce((sum, { count }) => sum + count, 0) === made,
          ),
        );
      }
      await app.stop();
      return JSON.parse(app.stdout().split('\n')[1] ?? '') as Counts;
    };
    bare = await run([]);
    observed = await run(['-r', 'channel-exporter/register']);
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const phase of ['GET', 'POST', 'fetch']) {
    it(`see no resource of ours in requests by ${phase}`, () => {
      const types = new Set([bare, observed].flatMap((counts) => Object.keys(counts[phase] ?? {})));
      assert.ok(types.has('TickObject'), 'the hooks saw the requests');
      for (const type of types) {
        const more = (observed[phase]?.[type] ?? 0) - (bare[phase]?.[type] ?? 0);
        // Node's own timers are a few more or less from one run to the next
        assert.ok(more < REQUESTS / 2, `${more} more of ${type} in ${REQUESTS} requests`);
      }
    });
  }
});
