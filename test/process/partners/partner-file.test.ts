import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type App, PARTNER, runApp } from '../../support/app';
import { ROOT } from '../../support/paths';

/** The file is looked at every two seconds. */
const NOTICED_LIMIT_MS = 20_000;

describe('a partner file that changes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'channel-exporter-'));
  const file = join(folder, 'partners.yaml');
  let partner: Server;
  let port: number;
  let app: App;

  const version = (code: string) => `hosts: { "127.0.0.1:${port}": { partner: ${code}, paths: { /v1/pay: 1201 } } }\n`;

  /** Writes a version in a folder of its own and points the link at it, as a mounted ConfigMap does. */
  function mount(name: string, text: string): void {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'partners.yaml'), text);
    symlinkSync(join(name, 'partners.yaml'), join(folder, 'link.tmp'));
    renameSync(join(folder, 'link.tmp'), file);
  }

  /** Calls again and again until the partner code of the calls is this one. */
  async function isCalled(code: string): Promise<void> {
    const until = Date.now() + NOTICED_LIMIT_MS;
    for (;;) {
      const response = await fetch(`http://127.0.0.1:${app.port}/?port=${port}`);
      assert.equal(await response.text(), 'called');
      const { counts } = await app.metrics();
      if (counts(PARTNER).some(({ labels }) => labels.partner === code)) return;
      assert.ok(Date.now() < until, `the calls did not become partner ${code}\n${app.stderr()}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async function isSaid(text: RegExp): Promise<void> {
    const until = Date.now() + NOTICED_LIMIT_MS;
    while (!text.test(app.stderr())) {
      assert.ok(Date.now() < until, `not said: ${text}\n${app.stderr()}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  before(async () => {
    partner = createServer((_request, response) => response.end('{"code":"0"}')).listen(0, '127.0.0.1');
    await once(partner, 'listening');
    port = (partner.address() as AddressInfo).port;
    writeFileSync(file, version('one'));
    app = await runApp(join(ROOT, 'test/fixtures/apps/calls.js'), {
      cwd: folder,
      // a relative path keeps its meaning although the program changes its directory
      env: { CHANNEL_EXPORTER_PARTNERS: 'partners.yaml' },
      nodeArgs: ['-r', join(ROOT, 'dist/register.js')],
    });
  });
  after(async () => {
    await app.stop();
    partner.close();
    rmSync(folder, { recursive: true });
  });

  it('is in force from the start, then written in place, renamed over, mounted by a link, and the link swapped', async () => {
    await isCalled('one');
    writeFileSync(file, version('"two"'));
    await isCalled('two');
    writeFileSync(join(folder, 'new'), version('thr'));
    renameSync(join(folder, 'new'), file);
    await isCalled('thr');
    mount('a', version('fou'));
    await isCalled('fou');
    mount('b', version('fiv'));
    await isCalled('fiv');
    assert.match(app.stderr(), /partners\.yaml has been read again: 1 partner hosts/);
  });

  it('keeps its last good version in force when the new one is faulty, and says what is wrong', async () => {
    await isCalled('fiv');
    const before = (await app.metrics()).counts(PARTNER);
    mount('c', 'hosts: { a: { partner: true }, b/c: { partner: 1 } }\n');
    await isSaid(/CHX_PARTNERS_RELOAD: the new version of partners\.yaml is not used; the last good one stays:\n/);
    await isSaid(/\nCHX_PARTNER_CODE: \S*partners\.yaml:1:24: .*\nCHX_PARTNER_HOST: \S*partners\.yaml:1:32: /);
    const response = await fetch(`http://127.0.0.1:${app.port}/?port=${port}`);
    assert.equal(await response.text(), 'called');
    const total = (counts: typeof before) => counts.reduce((sum, { count }) => sum + count, 0);
    const { counts } = await app.metricsWhen((metrics) => total(metrics.counts(PARTNER)) > total(before));
    assert.deepEqual(
      counts(PARTNER).map(({ labels }) => labels),
      before.map(({ labels }) => labels),
    );
    mount('d', version('six'));
    await isCalled('six');
  });

  it('keeps it also when the file is gone, and takes it up again when it is back', async () => {
    await isCalled('six');
    rmSync(file);
    await isSaid(/CHX_PARTNERS_UNREADABLE: .*ENOENT/);
    mount('e', version('sev'));
    await isCalled('sev');
    assert.equal(app.child.exitCode, null);
    assert.equal(app.stdout(), `ready ${app.port}\n`);
  });
});
