/** Functions that the application has measured by name, as the scrape shows them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type App, type AppOptions, nodeBinary, runApp } from '../../support/app';
import { type Metrics, parseMetrics } from '../../support/metrics';
import { openWorkshop } from '../../support/packed';
import { FIXTURES, ROOT } from '../../support/paths';
import { startProgram } from '../../support/program';

const PROGRAMS = join(FIXTURES, 'functions');
const FAMILIES = {
  request_count_total: 'counter',
  request_processing_time: 'gauge',
  request_time_histogram: 'histogram',
  failure_count_total: 'counter',
} as const;
const LE = [
  '0.005',
  '0.01',
  '0.025',
  '0.05',
  '0.075',
  '0.1',
  '0.25',
  '0.5',
  '0.75',
  '1.0',
  '2.5',
  '5.0',
  '7.5',
  '10.0',
];

/** Calls of each `url`, and how many of them failed. */
type Calls = Readonly<Record<string, readonly [calls: number, failures?: number]>>;

async function withApp(script: string, options: AppOptions, use: (app: App) => Promise<void>): Promise<void> {
  const app = await runApp(join(PROGRAMS, script), options);
  try {
    await use(app);
  } finally {
    await app.stop();
  }
}

function callCount(metrics: Metrics): number {
  return metrics.counts('request_count_total').reduce((sum, { count }) => sum + count, 0);
}

/** All four families hold exactly these calls, and a gauge of plausible seconds for each. */
function assertCalls(metrics: Metrics, expected: Calls, env = 'PROD'): void {
  const of = (family: string): Record<string, number> =>
    Object.fromEntries(
      metrics.counts(family).map(({ labels, count }) => {
        assert.deepEqual(Object.keys(labels), ['env', 'url'], family);
        assert.equal(labels.env, env);
        return [labels.url ?? '', count];
      }),
    );
  const calls = Object.fromEntries(Object.entries(expected).map(([url, [count]]) => [url, count]));
  const failures = Object.fromEntries(Object.entries(expected).map(([url, [, count = 0]]) => [url, count]));
  assert.deepEqual(of('request_count_total'), calls);
  assert.deepEqual(of('request_time_histogram'), calls);
  assert.deepEqual(of('failure_count_total'), failures);
  const gauges = of('request_processing_time');
  assert.deepEqual(Object.keys(gauges).sort(), Object.keys(calls).sort());
  for (const [url, seconds] of Object.entries(gauges)) assert.ok(seconds >= 0 && seconds < 10, `${url}: ${seconds}`);
}

async function ask(app: App, path: string): Promise<{ status: number; body: string }> {
  const response = await fetch(`http://127.0.0.1:${app.port}${path}`);
  return { status: response.status, body: await response.text() };
}

/** What is asked of each program and what its functions have been called for then. */
const SERVICES: readonly {
  name: string;
  asks: readonly (readonly [path: string, status: number])[];
  calls: Calls;
}[] = [
  {
    name: 'express',
    asks: [
      ['/users/5', 200],
      ['/users/6', 200],
      ['/later', 200],
      ['/promise', 200],
      ['/throws', 500],
      ['/rejects', 500],
      ['/passes', 500],
      ['/skips', 200],
      ['/later?stop=1', 403],
    ],
    calls: {
      check: [9],
      '/users/:id': [2],
      '/later': [1],
      '/promise': [1],
      // the route's handler fails, and the error handler that answers is another call
      '/throws': [2, 1],
      '/rejects': [2, 1],
      '/passes': [2, 1],
      '/skips': [1],
    },
  },
  {
    name: 'koa',
    asks: [
      ['/api/users/5', 200],
      ['/api/throws', 418],
    ],
    calls: { first: [2, 1], '/api/users/:id': [1], load: [1], '/api/throws': [1, 1] },
  },
  {
    name: 'fastify',
    asks: [
      ['/users/5', 200],
      ['/later', 200],
      ['/throws', 500],
    ],
    calls: { '/users/:id': [1], '/later': [1], '/throws': [1, 1] },
  },
  { name: 'http', asks: [['/any', 200]], calls: { server: [1] } },
];

describe('monitor()', () => {
  for (const { name, asks, calls } of SERVICES) {
    it(`measures handlers of ${name} under their routes, and other functions under their names`, async () => {
      await withApp('service.js', { args: [name] }, async (app) => {
        const bare = await runApp(join(PROGRAMS, 'service.js'), { args: [name], nodeArgs: [] });
        try {
          for (const [path, status] of asks) {
            const answer = await ask(app, path);
            assert.equal(answer.status, status, path);
            assert.deepEqual(answer, await ask(bare, path));
          }
        } finally {
          await bare.stop();
        }
        const wanted = Object.values(calls).reduce((sum, [count]) => sum + count, 0);
        assertCalls(await app.metricsWhen((metrics) => callCount(metrics) >= wanted), calls);
      });
    });
  }

  it('measures a handler with callbacks until its answer has gone', async () => {
    await withApp('service.js', { args: ['http'] }, async (app) => {
      await ask(app, '/any');
      const metrics = await app.metricsWhen((seen) => callCount(seen) === 1);
      // the answer waits for a timer of 5 ms, which may be a millisecond early
      const [gauge] = metrics.counts('request_processing_time');
      assert.ok((gauge?.count ?? 0) >= 0.004, String(gauge?.count));
    });
  });

  it('counts a handler whose client has left, as no failure', async () => {
    await withApp('service.js', { args: ['express'] }, async (app) => {
      const request = get(`http://127.0.0.1:${app.port}/hangs`).on('error', () => undefined);
      await app.metricsWhen((metrics) => metrics.counts('request_count_total').length > 0);
      request.destroy();
      assertCalls(await app.metricsWhen((metrics) => callCount(metrics) === 2), { check: [1], '/hangs': [1] });
    });
  });

  it('is written in seconds, with the label env from ENV', async () => {
    await withApp('service.js', { args: ['http'], env: { ENV: 'STAGING' } }, async (app) => {
      const text = (await app.metrics()).text;
      for (const [family, type] of Object.entries(FAMILIES)) {
        assert.match(text, new RegExp(`^# HELP ${family} .*\\n# TYPE ${family} ${type}$`, 'm'), 'from the start on');
      }
      await ask(app, '/any');
      const metrics = await app.metricsWhen((seen) => callCount(seen) === 1);
      assertCalls(metrics, { server: [1] }, 'STAGING');
      const buckets = metrics.samples.filter(({ name }) => name === 'request_time_histogram_bucket');
      assert.deepEqual(
        buckets.map(({ labels }) => labels),
        [...LE, '+Inf'].map((le) => ({ env: 'STAGING', url: 'server', le })),
      );
      const sum = metrics.samples.find(({ name }) => name === 'request_time_histogram_sum')?.value;
      assert.equal(sum, metrics.counts('request_processing_time')[0]?.count);
    });
  });

  it('caps the names, and shows no families where nothing is monitored', async () => {
    const env = { CHANNEL_EXPORTER_LABEL_VALUES_LIMIT: 'url=1' };
    await withApp('service.js', { args: ['fastify'], env }, async (app) => {
      await ask(app, '/users/5');
      await ask(app, '/later');
      const metrics = await app.metricsWhen((seen) => callCount(seen) === 2);
      assertCalls(metrics, { '/users/:id': [1], other: [1] });
      const overflows = metrics.counts('channel_exporter_label_overflow_total').filter(({ count }) => count > 0);
      assert.deepEqual(
        overflows.map(({ labels: { family, label }, count }) => ({ family, label, count })),
        [{ family: 'request_count_total', label: 'url', count: 1 }],
      );
    });
    const plain = await runApp(join(FIXTURES, 'apps/hello.js'));
    try {
      const { types } = await plain.metrics();
      for (const family of Object.keys(FAMILIES)) assert.ok(!types.has(family), family);
    } finally {
      await plain.stop();
    }
  });
});

describe('a function monitored before start()', () => {
  /** The scrape at an address that the program has said. */
  const scrape = async (url: string) => parseMetrics(await (await fetch(url)).text());

  const check = async (args: readonly string[], isOther: boolean) => {
    await withApp('calls.js', { args, nodeArgs: [] }, async (app) => {
      await ask(app, '/fail');
      assertCalls(await app.metrics(), { double: [2], fail: [1, 1] });
      const answer = JSON.parse((await ask(app, '/restart')).body);
      assert.deepEqual(answer.outcomes, [2, 4, 6, 'refused', 8, 10]);
      assert.equal(answer.isOther, isOther);
      assertCalls(await scrape(answer.url), { double: [1] });
    });
  };

  it('is measured while the exporter runs, and works before and after', () => check([], false));

  it('may have been so by another copy of the package', async () => {
    const workshop = await openWorkshop();
    try {
      await check([await workshop.install('other')], true);
    } finally {
      workshop.remove();
    }
  });
});

describe('what is thrown or rejected stays the application’s', () => {
  /** How a program ends, and what it says; stacks have our frames in between. */
  const endOf = async (nodeArgs: readonly string[], args: readonly string[]) => {
    const program = startProgram({ args: [...nodeArgs, join(PROGRAMS, 'rejects.js'), ...args] });
    const end = await program.closed;
    const stderr = program.stderr().replace(/^( {4}at |channel-exporter: ).*\n/gm, '');
    return { ...end, stdout: program.stdout(), stderr };
  };

  for (const how of ['rejects', 'rejects with its own then', 'throws']) {
    for (const listens of [[], ['listens']]) {
      it(`when it ${how}, ${listens.length > 0 ? 'with' : 'without'} a listener`, async () => {
        const [measured, bare] = await Promise.all([
          endOf(['-r', 'channel-exporter/register'], [how, ...listens]),
          endOf([], [how, ...listens]),
        ]);
        assert.deepEqual(measured, bare);
        assert.match(bare.stdout + bare.stderr, /refused/);
      });
    }
  }
});

describe('@monitor', () => {
  // inside the project, where the package finds itself by its name
  const folder = join(ROOT, 'build', `decorated-${process.pid}`);
  before(() => {
    mkdirSync(folder, { recursive: true });
    copyFileSync(join(PROGRAMS, 'decorated.ts.txt'), join(folder, 'decorated.ts'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const experimentalDecorators of [false, true]) {
    const name = experimentalDecorators ? 'a decorator of experimentalDecorators' : 'a standard decorator';
    it(`measures methods as ${name}`, async () => {
      const tsconfig = join(folder, `tsconfig.${experimentalDecorators}.json`);
      const outDir = join(folder, String(experimentalDecorators));
      const options = { strict: true, target: 'es2022', module: 'node20', types: ['node'], skipLibCheck: true };
      const compilerOptions = { ...options, experimentalDecorators, rootDir: folder, outDir };
      writeFileSync(tsconfig, JSON.stringify({ compilerOptions, files: [join(folder, 'decorated.ts')] }));
      const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
      const { status, stdout } = spawnSync(nodeBinary(), [tsc, '-p', tsconfig], { encoding: 'utf8' });
      assert.equal(status, 0, stdout);
      const compiled = readFileSync(join(outDir, 'decorated.js'), 'utf8');
      assert.equal(compiled.includes('__esDecorate('), !experimentalDecorators);

      const app = await runApp(join(outDir, 'decorated.js'));
      try {
        const said = { outcomes: [3, 'Refused', 7, 'no tea'], name: 'total', length: 1, isShared: true };
        assert.equal(app.stdout(), `${JSON.stringify(said)}\nready 0\n`);
        assertCalls(await app.metrics(), {
          length: [2],
          'orders.total': [2, 1],
          'orders.price': [3, 1],
          'orders.empty': [1],
        });
      } finally {
        await app.stop();
      }
    });
  }
});
