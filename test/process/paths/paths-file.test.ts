/** Paths that no framework explained, on the scrape of real services: generalised, and by a paths file that changes. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import http2 from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type App, INNER, runApp } from '../../support/app';
import { FIXTURES, ROOT } from '../../support/paths';
import { until } from '../../support/waiting';

const HELLO = join(FIXTURES, 'apps/hello.js');
const UUID = '550e8400-e29b-41d4-a716-446655440000';

async function ask(port: number, paths: readonly string[], caller = 'test'): Promise<void> {
  for (const path of paths) {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { 'user-agent': caller } });
    await response.text();
  }
}

async function askHttp2(port: number, paths: readonly string[]): Promise<void> {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  for (const path of paths) {
    const stream = session.request({ ':path': path, 'user-agent': 'test' }).resume();
    await once(stream, 'close');
  }
  session.close();
}

/** Labels and their requests, of one caller. */
async function pathsOf(app: App, requests: number, caller = 'test'): Promise<Record<string, number>> {
  const of = (metrics: Awaited<ReturnType<App['metrics']>>) =>
    metrics.counts(INNER).filter(({ labels }) => labels.f_code === caller);
  const total = (counts: ReturnType<typeof of>) => counts.reduce((sum, { count }) => sum + count, 0);
  const metrics = await app.metricsWhen((each) => total(of(each)) >= requests);
  const found: Record<string, number> = {};
  for (const { labels, count } of of(metrics)) found[labels.path ?? ''] = (found[labels.path ?? ''] ?? 0) + count;
  return found;
}

describe('paths that no framework explained', () => {
  it('are general under every framework, bare and over HTTP/2, and routes and mounts stay', async () => {
    const env = { CHANNEL_EXPORTER_GENERALIZE_PATHS: 'on' };
    const app = await runApp(join(FIXTURES, 'apps/general-paths.js'), { env });
    try {
      const ports = (await (await fetch(`http://127.0.0.1:${app.port}/ports`)).json()) as Record<string, number>;
      await ask(app.port, ['/express/17', '/express/18?a=1', `/express/%35%35/${UUID}`, '/routes/17', '/gw/17/18']);
      await ask(ports.koa as number, ['/koa/17', '/koa/18']);
      await ask(ports.fastify as number, ['/fastify/17', '/fastify/18']);
      await askHttp2(ports.http2 as number, ['/http2/17', '/http2/18']);
      await askHttp2(ports.streams as number, ['/streams/17', '/streams/18']);
      assert.deepEqual(await pathsOf(app, 13), {
        '/express/:id': 2,
        '/express/:id/:uuid': 1,
        '/routes/:number': 1,
        '/gw/*': 1,
        '/koa/:id': 2,
        '/fastify/:id': 2,
        '/http2/:id': 2,
        '/streams/:id': 2,
      });
    } finally {
      await app.stop();
    }
  });

  it('stay as they are by default, and the log names the switch when they have used their room', async () => {
    const app = await runApp(HELLO);
    try {
      await ask(
        app.port,
        Array.from({ length: 101 }, (_, n) => `/orders/${n}`),
      );
      const paths = await pathsOf(app, 101);
      assert.equal(Object.keys(paths).length, 101);
      assert.deepEqual([paths['/orders/0'], paths.other], [1, 1]);
      const line =
        /CHX_LABEL_OVERFLOW: .*label path has had its 100 .* (CHANNEL_EXPORTER_GENERALIZE_PATHS=on) .*(CHANNEL_EXPORTER_PATHS) .*LIMIT=path=200/;
      assert.match(app.stderr(), line);
    } finally {
      await app.stop();
    }
  });

  it('have their bound when they are general: callers can make them up', async () => {
    const app = await runApp(HELLO, { env: { CHANNEL_EXPORTER_GENERALIZE_PATHS: 'on' } });
    try {
      const words = Array.from(
        { length: 130 },
        (_, n) => `/${n.toString(2).replaceAll('0', 'a').replaceAll('1', 'b')}/17`,
      );
      await ask(
        app.port,
        Array.from({ length: 200 }, (_, n) => `/orders/${n}`),
        'honest',
      );
      await ask(app.port, words);
      assert.deepEqual(await pathsOf(app, 200, 'honest'), { '/orders/:id': 200 });
      const paths = await pathsOf(app, 130);
      assert.equal(Object.keys(paths).length, 100);
      assert.equal(paths.other, 31);
      assert.equal(paths['/a/:id'], 1);
    } finally {
      await app.stop();
    }
  });
});

describe('a paths file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'channel-exporter-'));
  const file = join(folder, 'paths.yaml');
  let app: App;
  let versions = 0;

  /** Writes a version in a folder of its own and points the link at it, as a mounted ConfigMap does. */
  function mount(text: string): void {
    const name = String(++versions);
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'paths.yaml'), text);
    symlinkSync(join(name, 'paths.yaml'), join(folder, 'link.tmp'));
    renameSync(join(folder, 'link.tmp'), file);
  }

  const isSaid = (text: RegExp) => until(() => text.test(app.stderr()), app.stderr);

  before(async () => {
    mount('paths: [/u/:name, /u/:name/files/*, /文件/*, /status/200]\n');
    // a relative path starts from the working directory
    app = await runApp(HELLO, {
      cwd: folder,
      env: { CHANNEL_EXPORTER_PATHS: 'paths.yaml' },
      nodeArgs: ['-r', join(ROOT, 'dist/register.js')],
    });
  });
  after(async () => {
    await app?.stop();
    rmSync(folder, { recursive: true });
  });

  it('gives paths their patterns, compared decoded, and leaves the rest as they are', async () => {
    const sent = ['/u/anna', '/u/7?a=1', '/u/anna/files/a/b', '/%E6%96%87%E4%BB%B6/1', '/status/200', '/status/201'];
    await ask(app.port, sent);
    assert.deepEqual(await pathsOf(app, sent.length), {
      '/u/:name': 2,
      '/u/:name/files/*': 1,
      '/文件/*': 1,
      '/status/200': 1,
      '/status/201': 1,
    });
  });

  it('that changes is in force while the service runs', async () => {
    mount('paths: [/u/*]\n');
    await isSaid(/paths\.yaml has been read again: 1 paths\n/);
    await ask(app.port, ['/u/anna', '/u/anna/files/a'], 'second');
    assert.deepEqual(await pathsOf(app, 2, 'second'), { '/u/*': 2 });
  });

  it('with a mistake is reported with its place, and the last good one stays', async () => {
    mount('paths:\n  - /u/*\n  - /u/:name\nrest: other\n');
    await isSaid(/CHX_PATHS_RELOAD: the new version of paths\.yaml is not used; the last good one stays:\n/);
    await isSaid(/\nCHX_PATHS_KEY: \S*paths\.yaml:4:1: /);
    await isSaid(/\nCHX_PATH_PATTERN: \S*paths\.yaml:3:5: .*it can never match/);
    await ask(app.port, ['/u/anna'], 'third');
    assert.deepEqual(await pathsOf(app, 1, 'third'), { '/u/*': 1 });
  });

  it('that is large is read in a thread of its own', async () => {
    const patterns = Array.from({ length: 999 }, (_, n) => `  - /p${n}/:id/${'x'.repeat(20)}\n`).join('');
    mount(`paths:\n${patterns}  - /u/:large\n`);
    await isSaid(/paths\.yaml has been read again: 1000 paths\n/);
    await ask(app.port, ['/u/anna', `/p998/1/${'x'.repeat(20)}`], 'fourth');
    assert.deepEqual(await pathsOf(app, 2, 'fourth'), { '/u/:large': 1, [`/p998/:id/${'x'.repeat(20)}`]: 1 });
    assert.equal(app.stderr().match(/; observes /g)?.length, 1, 'the preload runs in the application alone');
  });
});

describe('an application that gives its patterns in its code', () => {
  it('has them before what is general', async () => {
    const options = { generalizePaths: true, paths: { paths: ['/orders/:number'] } };
    const app = await runApp(join(FIXTURES, 'apps/hello-started.js'), {
      nodeArgs: [],
      args: [JSON.stringify(options)],
    });
    try {
      await ask(app.port, ['/orders/17', '/items/17']);
      assert.deepEqual(await pathsOf(app, 2), { '/orders/:number': 1, '/items/:id': 1 });
    } finally {
      await app.stop();
    }
  });
});
