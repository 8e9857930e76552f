/**
 * Midway as its users start it: `node bootstrap.js`, on Koa and on Express; and in a cluster, whose manager gives its workers
 * no flags of the primary's, so that only NODE_OPTIONS reaches them.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { INNER } from '../../support/app';
import { reportNotRun } from '../../support/debian';
import { layApplication } from '../../support/laid-application';
import type { Metrics } from '../../support/metrics';
import { FIXTURES } from '../../support/paths';
import { ask, openWorld, PRELOAD, stateOf } from '../../support/service';
import { freePort, until } from '../../support/waiting';

const PROCESSES = 'channel_exporter_processes';
const USER_AGENT = 'table';
const REQUESTS = 60;

interface Version {
  readonly title: string;
  readonly name: string;
  readonly web: string;
  readonly dependencies: Readonly<Record<string, string>>;
  /** The program, and the processes that serve; the primary of a cluster comes to them. */
  readonly starts: readonly { readonly script: string; readonly workers: number }[];
  /** How it answers to errors: JSON has their status as `code`. */
  readonly errors: 'json' | 'page';
}

const MIDWAY_3 = {
  '@midwayjs/core': '3.20.24',
  '@midwayjs/bootstrap': '3.20.24',
  '@midwayjs/logger': '3.4.2',
  'reflect-metadata': '0.2.2',
};
const MIDWAY_4 = {
  '@midwayjs/core': '4.0.0',
  '@midwayjs/bootstrap': '4.2.3',
  '@midwayjs/logger': '4.0.1',
  'reflect-metadata': '0.2.2',
};
const ALONE = { script: 'bootstrap.js', workers: 1 };
const CLUSTER = { script: 'cluster.js', workers: 2 };
const VERSIONS: readonly Version[] = [
  {
    ...{
      title: 'Midway 3 on Koa',
      name: 'midway-3',
      web: '@midwayjs/koa',
      errors: 'json',
    },
    dependencies: { ...MIDWAY_3, '@midwayjs/koa': '3.20.24' },
    starts: [ALONE, CLUSTER],
  },
  {
    ...{
      title: 'Midway 3 on Express',
      name: 'midway-3-express',
      web: '@midwayjs/express',
      errors: 'page',
    },
    dependencies: { ...MIDWAY_3, '@midwayjs/express': '3.20.23' },
    starts: [ALONE],
  },
  {
    ...{
      title: 'Midway 4 on Koa',
      name: 'midway-4',
      web: '@midwayjs/koa',
      errors: 'json',
    },
    dependencies: { ...MIDWAY_4, '@midwayjs/koa': '4.0.0' },
    starts: [ALONE, CLUSTER],
  },
];

type Row = readonly [request: string, status: number, path?: string, code?: string, more?: RowMore];

interface RowMore {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly methodCode?: string;
}

const JSON_BODY = { headers: { 'content-type': 'application/json' }, body: '{"method_code":"J1"}', methodCode: 'J1' };
const REFUSED = { 'x-stop': 'guard' };
/** Express answers to the status of an error by its own page, and has another syntax for wildcards. */
const ON_KOA: readonly Row[] = [
  ['GET /api/shop/fail/1', 502, '/api/shop/fail/:id', '502'],
  ['GET /api/shop/files/a/b', 200, '/api/shop/files/(.*)', 'F'],
];
const rowsOf = ({ errors }: Version): readonly Row[] => [
  ['GET /missing', 404],
  ['GET /api/shop/users', 404],
  ['GET /api/shop/users/17', 200, '/api/shop/users/:id', '0000'],
  ['GET /api/shop/users/18?method_code=Q1', 200, '/api/shop/users/:id', '0000', { methodCode: 'Q1' }],
  ['GET /api/shop/users/19', 403, '/api/shop/users/:id', errors === 'json' ? '403' : '-1', { headers: REFUSED }],
  ['GET /api/shop/throw/1', 500, '/api/shop/throw/:id', errors === 'json' ? '' : '-1'],
  ['POST /api/shop/echo', 200, '/api/shop/echo', '0', JSON_BODY],
  ...(errors === 'json' ? ON_KOA : []),
];

function linesOf(metrics: Metrics, caller: string): string[] {
  return metrics
    .counts(INNER)
    .filter(({ labels }) => labels.f_code === caller)
    .flatMap(({ labels, count }) => {
      const { path, http_status, code, method_code } = labels;
      return new Array<string>(count).fill([path, http_status, code, method_code].join(' '));
    })
    .sort();
}

async function check(version: Version, { script, workers }: Version['starts'][number]): Promise<void> {
  const { name, web, dependencies } = version;
  const laid = layApplication({ name, manifest: { dependencies }, files: join(FIXTURES, 'frameworks/midway') });
  const world = await openWorld();
  try {
    const port = await freePort();
    const service = world.start({
      args: workers === 1 ? [...PRELOAD, script] : [script],
      cwd: laid.folder,
      env: {
        NODE_OPTIONS: workers === 1 ? undefined : PRELOAD.join(' '),
        MIDWAY_WEB: web,
        APP_PORT: String(port),
        NODE_ENV: 'production',
        HOME: world.folder,
      },
    });
    const answers = () =>
      ask(port, '/api/').then(
        () => true,
        () => service.child.exitCode !== null,
      );
    await until(answers, () => `it does not answer: ${service.output()}`);
    assert.equal(service.child.exitCode, null, service.output());
    const rows = rowsOf(version);
    for (const [request, status, , , more] of rows) {
      const [method = '', path] = request.split(' ');
      const headers = { 'user-agent': USER_AGENT, connection: 'close', accept: 'application/json', ...more?.headers };
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers, body: more?.body ?? null });
      const text = await response.text();
      assert.equal(response.status, status, `${request}: ${text}\n${service.output()}`);
    }
    const pids = new Set<number>();
    let asked = 0;
    const askOnce = async () => {
      pids.add((JSON.parse(await ask(port, '/api/')) as { pid: number }).pid);
      return ++asked >= REQUESTS && pids.size === workers;
    };
    await until(askOnce, () => `${pids.size} of ${workers} workers answer: ${service.output()}`);

    const expected = rows
      .filter(([, , path]) => path !== undefined)
      .map(([, status, path, code, more]) => [path, status, code, more?.methodCode ?? ''].join(' '));
    const metrics = await world.scrapeWhen(
      (seen) => linesOf(seen, 'T').length > asked && linesOf(seen, USER_AGENT).length >= expected.length,
    );
    assert.deepEqual(linesOf(metrics, USER_AGENT), expected.sort());
    // one more than these asked whether it is there
    const counted = linesOf(metrics, 'T');
    assert.deepEqual([...new Set(counted)], ['/api 200 0 ']);
    assert.equal(counted.length, asked + 1);
    assert.equal(stateOf(metrics, PROCESSES, { state: 'hub' }), 1);
    assert.equal(stateOf(metrics, PROCESSES, { state: 'member' }), workers === 1 ? 0 : workers);
    assert.deepEqual(service.said('CHX_'), []);
  } finally {
    await world.end();
    laid.remove();
  }
}

describe('Midway', () => {
  for (const version of VERSIONS) {
    for (const start of version.starts) {
      it(`${version.title}, started by ${start.script}, is counted by its routes to the unit`, async (test) => {
        await check(version, start).catch((error: Error) => {
          if (!/^npm install/.test(error.message)) throw error;
          reportNotRun(test, `${version.title} could not be installed: ${error.message}`);
        });
      });
    }
  }
});
