/**
 * A small Next.js application, installed and built in a temporary folder: with its compiler it is too big to lie among
 * the project's own packages. Where it cannot be installed the test says so, and fails in CI.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it, type TestContext } from 'node:test';
import { INNER, nodeBinary, runApp } from '../../support/app';
import { reportNotRun } from '../../support/debian';
import type { Labels, Metrics } from '../../support/metrics';
import { FIXTURES, ROOT } from '../../support/paths';
import { ask, openWorld, PRELOAD_PATH, stateOf, until } from '../../support/service';

const PACKAGE = {
  private: true,
  dependencies: { next: '16.4.6', react: '19.3.1', 'react-dom': '19.3.1' },
  // the image library is big and not needed
  overrides: { sharp: 'file:./no-sharp' },
};
const LIMIT_MS = 240_000;
const QUIET = { NEXT_TELEMETRY_DISABLED: '1' };
const NEXT = 'node_modules/next/dist/bin/next';
const USER_AGENT = 'table';

type Row = readonly [
  request: string,
  status: number,
  /** Undefined: not recorded. */
  path?: string,
  code?: string,
  more?: { headers?: Record<string, string>; body?: string; methodCode?: string; answer?: unknown },
];

const JSON_BODY = { headers: { 'content-type': 'application/json' }, body: '{"method_code":"J1"}', methodCode: 'J1' };
const FORM_BODY = {
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: 'method_code=F1',
  methodCode: 'F1',
};
const ROWS: readonly Row[] = [
  ['GET /shop/missing', 404],
  ['GET /shop/blog/none', 404],
  ['GET /shop', 200, '/shop', '-1'],
  ['GET /shop/blog/a-b', 200, '/shop/blog/[slug]', '-1'],
  ['HEAD /shop/blog/c', 200, '/shop/blog/[slug]', '-1'],
  ['GET /shop/blog/broken', 500, '/shop/blog/[slug]', '-1'],
  ['GET /shop/things/17?a=b', 200, '/shop/things/[id]', '7', { answer: { code: '7', id: '17' } }],
  ['GET /shop/things/17?method_code=Q1', 200, '/shop/things/[id]', '7', { methodCode: 'Q1' }],
  ['GET /shop/things/broken', 500, '/shop/things/[id]', '-1'],
  ['GET /shop/things/17', 403, '/shop/things/17', 'FIRST', { headers: { 'x-stop': 'first' } }],
  [
    'POST /shop/things/1',
    200,
    '/shop/things/[id]',
    '0',
    { ...JSON_BODY, answer: { code: '0', body: { method_code: 'J1' } } },
  ],
  ['GET /shop/stream', 200, '/shop/stream', 'S1', { answer: { code: 'S1' } }],
  ['GET /shop/legacy', 200, '/shop/legacy/[[...rest]]', '-1'],
  ['GET /shop/legacy/a/b', 200, '/shop/legacy/[[...rest]]', '-1'],
  ['GET /shop/legacy/broken', 500, '/shop/legacy/[[...rest]]', '-1'],
  ['GET /shop/api/items/4', 200, '/shop/api/items/[id]', '0000'],
  ['GET /shop/api/items/broken', 500, '/shop/api/items/[id]', '-1'],
  [
    'POST /shop/api/items/4',
    200,
    '/shop/api/items/[id]',
    '0000',
    { ...FORM_BODY, answer: { code: '0000', id: '4', body: { method_code: 'F1' } } },
  ],
];

const folder = mkdtempSync(join(tmpdir(), 'channel-exporter-next-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Why there is no application to start; undefined when there is. */
let missing: string | undefined;

before(() => {
  cpSync(join(FIXTURES, 'frameworks/next'), folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify(PACKAGE));
  const { status, stderr } = run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline']);
  if (status !== 0) {
    missing = `Next.js could not be installed: ${stderr}`;
    return;
  }
  const build = run(nodeBinary(), [NEXT, 'build']);
  assert.equal(build.status, 0, `${build.stdout}${build.stderr}`);
});

/** A test that needs the built application. */
function itBuilt(title: string, work: (test: TestContext) => Promise<void>): void {
  it(title, async (test) => {
    if (missing === undefined) await work(test);
    else reportNotRun(test, missing);
  });
}

itBuilt('a Next.js application is counted by its pages and route handlers, under its base path', async () => {
  const app = await runApp(NEXT, {
    nodeArgs: ['-r', join(ROOT, 'dist/register.js')],
    args: ['start', '-p', '0', '-H', '127.0.0.1'],
    cwd: folder,
    env: QUIET,
    ready: /http:\/\/127\.0\.0\.1:(\d+)[\s\S]*Ready/,
  });
  try {
    for (const [request, status, , , more] of ROWS) {
      const [method = '', path] = request.split(' ');
      const headers = { 'user-agent': USER_AGENT, ...more?.headers };
      const response = await fetch(`http://127.0.0.1:${app.port}${path}`, {
        method,
        headers,
        body: more?.body ?? null,
      });
      const text = await response.text();
      assert.equal(response.status, status, request);
      if (more?.answer !== undefined) assert.deepEqual(JSON.parse(text), more.answer, request);
    }
    const expected = ROWS.filter(([, , path]) => path !== undefined).map(([, status, path, code, more]) =>
      [USER_AGENT, path, String(status), code, more?.methodCode ?? ''].join(' '),
    );
    const metrics = await app.metricsWhen(
      (now) => now.counts(INNER).reduce((sum, { count }) => sum + count, 0) >= expected.length,
    );
    const counted = metrics
      .counts(INNER)
      .flatMap(({ labels, count }) =>
        Array<string>(count).fill(
          [labels.f_code, labels.path, labels.http_status, labels.code, labels.method_code].join(' '),
        ),
      );
    assert.deepEqual(counted.sort(), expected.sort());
  } finally {
    await app.stop();
  }
});

// Next gives its own workers a NODE_OPTIONS in which `-r` has become `--r=`, which Node refuses: with `next dev` and
// `next build` it is `--require` for any preload
const STARTS = [
  { command: 'start', option: '-r', nodeEnv: 'production' },
  { command: 'dev', option: '--require', nodeEnv: 'development' },
];
for (const { command, option, nodeEnv } of STARTS) {
  itBuilt(`next ${command} under NODE_OPTIONS ${option} is measured to the unit, and nothing else is`, async () => {
    const requests = 20;
    const world = await openWorld();
    try {
      const service = world.start({
        command: 'npx',
        args: ['--no-install', 'next', command, '-p', '0', '-H', '127.0.0.1'],
        cwd: folder,
        env: { ...QUIET, NODE_ENV: nodeEnv, NODE_OPTIONS: `${option} ${PRELOAD_PATH}` },
      });
      const listening = () => /http:\/\/127\.0\.0\.1:(\d+)[\s\S]*Ready/.exec(service.output());
      await until(
        async () => listening() !== null,
        () => service.output(),
      );
      for (let i = 0; i < requests; i++) await ask(Number(listening()?.[1]), '/shop/things/17');
      const isCounted = ({ labels }: { labels: Labels }) => labels.path === '/shop/things/[id]';
      const counts = (seen: Metrics) => seen.counts(INNER).filter(isCounted);
      const metrics = await world.scrapeWhen((seen) => (counts(seen)[0]?.count ?? 0) >= requests);
      assert.deepEqual(
        counts(metrics).map(({ count }) => count),
        [requests],
      );
      assert.equal(metrics.counts(INNER).length, 1);
      assert.equal(stateOf(metrics, 'channel_exporter_processes', { state: 'hub' }), 1);
      assert.deepEqual(service.said('CHX_'), []);
    } finally {
      await world.end();
    }
  });
}

function run(command: string, args: readonly string[]) {
  return spawnSync(command, args, {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, ...QUIET, NODE_ENV: 'production' },
    timeout: LIMIT_MS,
  });
}
