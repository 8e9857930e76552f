/** Names of callers on the scrape of a real service: from its callers file, also while that changes. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type App, INNER, runApp } from '../../support/app';
import { ROOT } from '../../support/paths';
import { exchange, get } from '../../support/raw-http';
import { until } from '../../support/waiting';

const HELLO = join(ROOT, 'test/fixtures/apps/hello.js');
const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120.0.0.0 Safari/537.36';

const ask = (app: App, userAgent: string | undefined, path = '/') =>
  exchange(app.port, [get(path, userAgent === undefined ? { 'User-Agent': '' } : { 'User-Agent': userAgent })]);

/** Callers on the scrape with their requests, of one path. */
async function callersOf(app: App, path: string, requests: number): Promise<Record<string, number>> {
  const of = (metrics: Awaited<ReturnType<App['metrics']>>) =>
    metrics.counts(INNER).filter(({ labels }) => labels.path === path);
  const total = (counts: ReturnType<typeof of>) => counts.reduce((sum, { count }) => sum + count, 0);
  const metrics = await app.metricsWhen((each) => total(of(each)) >= requests);
  return Object.fromEntries(of(metrics).map(({ labels, count }) => [labels.f_code, count]));
}

describe('a callers file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'channel-exporter-'));
  const file = join(folder, 'callers.yaml');
  let app: App;
  let versions = 0;

  /** Writes a version in a folder of its own and points the link at it, as a mounted ConfigMap does. */
  function mount(text: string): void {
    const name = String(++versions);
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'callers.yaml'), text);
    symlinkSync(join(name, 'callers.yaml'), join(folder, 'link.tmp'));
    renameSync(join(folder, 'link.tmp'), file);
  }

  const isSaid = (text: RegExp) => until(() => text.test(app.stderr()), app.stderr);

  before(async () => {
    mount('callers: { axios/*: axios, "*Chrome/*": browser, probe/1: 0120 }\n');
    // a relative path starts from the working directory
    app = await runApp(HELLO, {
      cwd: folder,
      env: { CHANNEL_EXPORTER_CALLERS: 'callers.yaml' },
      nodeArgs: ['-r', join(ROOT, 'dist/register.js')],
    });
  });
  after(async () => {
    await app?.stop();
    rmSync(folder, { recursive: true });
  });

  it('gives its callers their names, and leaves the rest and those without a User-Agent as they are', async () => {
    const sent = ['axios/1.7.9', 'axios/0.27.2', BROWSER, 'probe/1', 'probe/12', 'python-requests/2.31.0', undefined];
    for (const userAgent of sent) await ask(app, userAgent, '/first');
    assert.deepEqual(await callersOf(app, '/first', sent.length), {
      axios: 2,
      browser: 1,
      '0120': 1,
      'probe/12': 1,
      'python-requests/2.31...': 1,
      '': 1,
    });
  });

  it('that changes is in force while the service runs', async () => {
    mount('callers: { axios/1.*: shop }\nrest: other\n');
    await isSaid(/callers\.yaml has been read again: 1 callers\n/);
    for (const userAgent of ['axios/1.7.9', 'axios/0.27.2', BROWSER, undefined]) await ask(app, userAgent, '/second');
    assert.deepEqual(await callersOf(app, '/second', 4), { shop: 1, other: 2, '': 1 });
  });

  it('with a mistake is reported with its place, and the last good one stays', async () => {
    mount('callers:\n  axios/*: shop\n  axios/1.*: never\nrest: others\n');
    await isSaid(/CHX_CALLERS_RELOAD: the new version of callers\.yaml is not used; the last good one stays:\n/);
    await isSaid(/\nCHX_CALLERS_REST: \S*callers\.yaml:4:7: .* Did you mean other\?\n/);
    await isSaid(/\nCHX_CALLER_PATTERN: \S*callers\.yaml:3:3: .*it can never match/);
    await ask(app, 'axios/1.7.9', '/third');
    assert.deepEqual(await callersOf(app, '/third', 1), { shop: 1 });
  });

  it('that is large is read in a thread of its own', async () => {
    const callers = Array.from({ length: 999 }, (_, n) => `  caller/${n}: "${n} ${'x'.repeat(20)}"\n`).join('');
    mount(`callers:\n${callers}  ax*: large\n`);
    await isSaid(/callers\.yaml has been read again: 1000 callers\n/);
    await ask(app, 'axios/1.7.9', '/fourth');
    assert.deepEqual(await callersOf(app, '/fourth', 1), { large: 1 });
    assert.equal(app.stderr().match(/; observes /g)?.length, 1, 'the preload runs in the application alone');
  });
});

describe('an application that names its callers in its code', () => {
  it('gets their names', async () => {
    const options = { callers: { callers: { 'axios/*': 'axios' }, rest: 'other' } };
    const app = await runApp(join(ROOT, 'test/fixtures/apps/hello-started.js'), {
      nodeArgs: [],
      args: [JSON.stringify(options)],
    });
    try {
      await ask(app, 'axios/1.7.9', '/a');
      await ask(app, BROWSER, '/a');
      assert.deepEqual(await callersOf(app, '/a', 2), { axios: 1, other: 1 });
    } finally {
      await app.stop();
    }
  });
});

describe('made-up User-Agents', () => {
  it('leave a named caller its name on the scrape where the rest is other', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'channel-exporter-'));
    const file = join(folder, 'callers.json');
    writeFileSync(file, '{"callers":{"axios/*":"axios"},"rest":"other"}');
    const app = await runApp(HELLO, { env: { CHANNEL_EXPORTER_CALLERS: file } });
    try {
      for (let n = 0; n < 300; n++)
        await fetch(`http://127.0.0.1:${app.port}/a`, { headers: { 'User-Agent': `x${n}` } });
      await ask(app, 'axios/1.7.9', '/a');
      assert.deepEqual(await callersOf(app, '/a', 301), { other: 300, axios: 1 });
      assert.doesNotMatch(app.stderr(), /CHX_LABEL_OVERFLOW/);
    } finally {
      await app.stop();
      rmSync(folder, { recursive: true });
    }
  });
});
