/**
 * Egg as its users start it: `egg-scripts start` under NODE_OPTIONS makes a master, an agent and workers, which share one
 * scrape. Egg 3 stands on Koa, Egg 4 on a Koa of its own, as CommonJS and as ES modules.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { environment, INNER, nodeBinary, PARTNER } from '../../support/app';
import { reportNotRun } from '../../support/debian';
import { type Installation, type Laid, layApplication } from '../../support/laid-application';
import type { Metrics } from '../../support/metrics';
import { FIXTURES } from '../../support/paths';
import { ask, openWorld, type Service, stateOf, type World } from '../../support/service';
import { freePort, until } from '../../support/waiting';

const run = promisify(execFile);
const FIXTURE = join(FIXTURES, 'frameworks/egg');
const PROCESSES = 'channel_exporter_processes';
const WORKERS = 2;
const USER_AGENT = 'table';
/** Enough for both workers to get some. */
const REQUESTS = 60;

interface Version {
  readonly title: string;
  readonly name: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly type: 'commonjs' | 'module';
}

const EGG_3 = { egg: '3.34.0', 'egg-scripts': '3.1.0' };
const EGG_4 = { egg: '4.0.10', '@eggjs/scripts': '4.0.0' };
const VERSIONS: readonly Version[] = [
  { title: 'Egg 3', name: 'egg-3', dependencies: EGG_3, type: 'commonjs' },
  { title: 'Egg 4', name: 'egg-4', dependencies: EGG_4, type: 'commonjs' },
  { title: 'Egg 4 as ES modules', name: 'egg-4', dependencies: EGG_4, type: 'module' },
];

/** Files of the application, and what each of them exports. */
const FILES = {
  'app/router.js': 'router',
  'app/controller/home.js': 'home',
  'app/controller/items.js': 'items',
  'app/middleware/stop.js': 'stop',
  'config/config.default.js': 'config',
  'app.js': 'closing',
  'agent.js': 'closing',
};

type Row = readonly [request: string, status: number, path?: string, code?: string, more?: RowMore];

interface RowMore {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly methodCode?: string;
}

const FORM = {
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: 'method_code=F1',
  methodCode: 'F1',
};
const ROWS: readonly Row[] = [
  ['GET /missing', 404],
  ['GET /shop/users/1/none', 404],
  ['GET /shop/users/17', 200, '/shop/users/:id', '0000'],
  ['HEAD /shop/users/17', 200, '/shop/users/:id', '-1'],
  ['GET /shop/users/18?method_code=Q1', 200, '/shop/users/:id', '0000', { methodCode: 'Q1' }],
  ['GET /shop/items', 200, '/shop/items', 'LIST'],
  ['GET /shop/items/4', 200, '/shop/items/:id', 'ITEM'],
  ['GET /shop/guarded/1', 401, '/shop/guarded/:id', 'STOPPED'],
  ['GET /shop/passed/1', 200, '/shop/passed/:name', '0'],
  ['GET /shop/users/19', 401, '/shop/users/19', 'STOPPED', { headers: { 'x-stop': 'first' } }],
  ['GET /shop/throw/1', 500, '/shop/throw/:id', ''],
  ['GET /shop/pay/1', 200, '/shop/pay/:id', '0000'],
  ['POST /shop/echo', 200, '/shop/echo', '0', FORM],
  ['GET /shop/old', 302, '/shop/old', '-1'],
  ['GET /public/a.txt', 200, '/public/a.txt', '-1'],
];
const ROOT_PATH = '/shop/';

/** An application of its own, in a world of its own. */
async function serve(version: Version, work: (served: Served) => Promise<void>): Promise<void> {
  const { name, dependencies, type } = version;
  const installation: Installation = { name, manifest: { dependencies } };
  const laid = layApplication(installation);
  const world = await openWorld();
  const partner = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"code":"0000"}');
  }).listen(0, '127.0.0.1');
  try {
    await once(partner, 'listening');
    write(laid, version);
    const host = `127.0.0.1:${(partner.address() as AddressInfo).port}`;
    const partners = join(world.folder, 'partners.json');
    writeFileSync(partners, JSON.stringify({ hosts: { [host]: { partner: '07', paths: { '/pay': '0001' } } } }));
    const closed = join(world.folder, 'closed');
    mkdirSync(closed);
    const port = await freePort();
    const title = `${type}-${port}`;
    const env = {
      NODE_OPTIONS: '-r channel-exporter/register',
      ...{ CHANNEL_EXPORTER_PARTNERS: partners, PARTNER_URL: `http://${host}`, CLOSED: closed },
      // logs are written below it, and `node` is looked up
      ...{ HOME: world.folder, PATH: `${dirname(nodeBinary())}${delimiter}${process.env.PATH}` },
    };
    const command = join(laid.folder, 'node_modules/.bin/egg-scripts');
    const args = ['start', `--title=${title}`, `--port=${port}`, `--workers=${WORKERS}`];
    const service = world.start({ command, args, cwd: laid.folder, env });
    const answers = () =>
      ask(port, ROOT_PATH).then(
        () => true,
        () => service.child.exitCode !== null,
      );
    await until(answers, () => `it does not answer: ${service.output()}`);
    assert.equal(service.child.exitCode, null, service.output());
    const stop = async () => {
      const own = {
        ...env,
        CHANNEL_EXPORTER_PORT: String(world.port),
        TMPDIR: world.folder,
        XDG_RUNTIME_DIR: undefined,
      };
      await run(command, ['stop', `--title=${title}`], { cwd: laid.folder, env: environment(own) });
    };
    await work({ world, service, port, closed, stop });
  } finally {
    partner.close();
    await world.end();
    laid.remove();
  }
}

interface Served {
  readonly world: World;
  readonly service: Service;
  readonly port: number;
  /** Where each process that is closed leaves a file. */
  readonly closed: string;
  stop(): Promise<void>;
}

function write({ folder }: Laid, { type, name, dependencies }: Version): void {
  const text = (part: string) => {
    const file = JSON.stringify(join(FIXTURE, `parts/${part}.cjs`));
    return type === 'module' ? `export { default } from ${file};\n` : `module.exports = require(${file});\n`;
  };
  const files = Object.entries(FILES).map(([path, part]) => [path, text(part)] as const);
  const manifest = JSON.stringify({ name, type, version: '1.0.0', private: true, dependencies });
  for (const [path, content] of [...files, ['app/public/a.txt', 'text'], ['package.json', manifest]] as const) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

/** Everything that is counted of one caller, a line for each request. */
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

describe('Egg', () => {
  for (const version of VERSIONS) {
    it(`${version.title} with egg-scripts is counted by its routes over all workers, and stops as it is told`, async (test) => {
      await serve(version, async ({ world, service, port, closed, stop }) => {
        for (const [request, status, , , more] of ROWS) {
          const [method = '', path] = request.split(' ');
          const headers = {
            'user-agent': USER_AGENT,
            connection: 'close',
            accept: 'application/json',
            ...more?.headers,
          };
          const options = { method, headers, body: more?.body ?? null, redirect: 'manual' } as const;
          const response = await fetch(`http://127.0.0.1:${port}${path}`, options);
          const text = await response.text();
          assert.equal(response.status, status, `${request}: ${text}`);
        }
        const expected = ROWS.filter(([, , path]) => path !== undefined).map(([, status, path, code, more]) =>
          [path, status, code, more?.methodCode ?? ''].join(' '),
        );
        const pids = new Set<number>();
        let asked = 0;
        const askOnce = async () => {
          pids.add((JSON.parse(await ask(port, ROOT_PATH)) as { pid: number }).pid);
          return ++asked >= REQUESTS && pids.size === WORKERS;
        };
        await until(askOnce, () => `${pids.size} workers answer: ${service.output()}`);

        const rootCount = (seen: Metrics) => linesOf(seen, 'T').length;
        const metrics = await world.scrapeWhen(
          (seen) => rootCount(seen) > asked && linesOf(seen, USER_AGENT).length >= expected.length,
        );
        assert.deepEqual(linesOf(metrics, USER_AGENT), expected.sort());
        assert.deepEqual(new Set(linesOf(metrics, 'T')), new Set([`${ROOT_PATH} 200 0 `]));
        // one more than these asked whether it is there
        assert.equal(rootCount(metrics), asked + 1);
        const callers = new Set(metrics.counts(INNER).map(({ labels }) => labels.f_code));
        assert.deepEqual(callers, new Set(['T', USER_AGENT]), 'master and agent add nothing');
        assert.deepEqual(
          metrics.counts(PARTNER).map(({ labels, count }) => [labels.partner, labels.action_code, labels.code, count]),
          [['07', '0001', '0000', 1]],
        );
        assert.equal(stateOf(metrics, PROCESSES, { state: 'hub' }), 1);
        assert.equal(stateOf(metrics, PROCESSES, { state: 'member' }), WORKERS + 1, 'workers and agent');

        await stop();
        await until(
          () => service.child.exitCode !== null,
          () => `it still runs: ${service.output()}`,
        );
        assert.equal(readdirSync(closed).length, WORKERS + 1, `workers and agent were closed: ${readdirSync(closed)}`);
        await assert.rejects(world.scrape(), 'nobody serves the scrape any more');
        assert.deepEqual(service.said('CHX_'), []);
        assert.equal(service.output().match(/^channel-exporter: /gm)?.length, 1, service.output());
      }).catch((error: Error) => {
        if (!/^npm install/.test(error.message)) throw error;
        reportNotRun(test, `${version.title} could not be installed: ${error.message}`);
      });
    });
  }
});
