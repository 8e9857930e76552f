/** What concerns the whole process that calls a partner: its end by an error, and the time a call took. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type App, PARTNER, runApp } from '../../support/app';
import { Partner } from '../../support/partner';
import { FIXTURES } from '../../support/paths';

/** Nobody listens there, and only the system's administrator could. */
const REFUSED_PORT = 1;
/** Less than the partner of `slow` waits. */
const WAITED_MS = 200;

describe('a process that calls partners', () => {
  const folder = mkdtempSync(join(tmpdir(), 'channel-exporter-'));
  const file = join(folder, 'partners.json');
  let partner: Partner;
  before(async () => {
    partner = await Partner.start();
    const hosts = [REFUSED_PORT, partner.addresses.port].map((port) => [`127.0.0.1:${port}`, { partner: '12' }]);
    writeFileSync(file, JSON.stringify({ hosts: Object.fromEntries(hosts) }));
  });
  after(() => {
    partner.stop();
    rmSync(folder, { recursive: true });
  });

  it('ends by an error that nobody handles, as without the preload', async () => {
    const [observed, bare] = await Promise.all(
      [undefined, []].map((nodeArgs) =>
        runApp(join(FIXTURES, 'apps/unhandled.js'), {
          env: { CHANNEL_EXPORTER_PARTNERS: file },
          args: [String(REFUSED_PORT)],
          ...(nodeArgs && { nodeArgs }),
        }),
      ),
    );
    const ends = [observed, bare].map(async (app) => {
      const end = await (app as App).exited();
      return { ...end, stdout: (app as App).stdout(), error: uncaught((app as App).stderr()) };
    });
    const [actual, expected] = await Promise.all(ends);
    assert.equal(expected?.code, 1);
    assert.match(expected?.error ?? '', /ECONNREFUSED/);
    assert.deepEqual(actual, expected);
  });

  it('is told how long a call took', async () => {
    const script = join(FIXTURES, 'apps/outbound.js');
    const app = await runApp(script, { env: { CHANNEL_EXPORTER_PARTNERS: file }, args: ['slow'] });
    try {
      const body = JSON.stringify(partner.addresses);
      const response = await fetch(`http://127.0.0.1:${app.port}/slow`, { method: 'POST', body });
      assert.equal(response.status, 200);
      const metrics = await app.metricsWhen((now) => now.counts(PARTNER).length === 1);
      const value = (name: string, le?: string) =>
        metrics.samples.find((sample) => sample.name === `${PARTNER}_${name}` && sample.labels.le === le)?.value;
      assert.equal(value('bucket', `${WAITED_MS}.0`), 0);
      assert.equal(value('bucket', '8000.0'), 1);
      assert.ok((value('sum') ?? 0) > WAITED_MS);
    } finally {
      await app.stop();
    }
  });
});

/** From the place of the error to its message, without the exporter's start-up line and the frames of the stack. */
function uncaught(stderr: string): string {
  const lines = stderr.slice(stderr.indexOf('node:events')).split('\n');
  return lines.filter((line) => !/^ +at /.test(line)).join('\n');
}
