/** What the application measures itself, on the same scrape: meter(), the global API, prom-client, and all at once. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { type App, type AppOptions, environment, nodeBinary, runApp } from '../../support/app';
import type { Metrics } from '../../support/metrics';
import { ROOT } from '../../support/paths';
import { until } from '../../support/waiting';

const FIXTURES = 'test/fixtures/own-metrics';
const GLOBAL = { CHANNEL_EXPORTER_GLOBAL: '1' };
const PROM = { CHANNEL_EXPORTER_PROM_CLIENT: '1' };

async function withApp(script: string, options: AppOptions, check: (app: App) => Promise<void>): Promise<void> {
  const app = await runApp(script, options);
  try {
    await check(app);
  } finally {
    await app.stop();
  }
}

function withScenario(name: string, env: AppOptions['env'], check: (app: App) => Promise<void>): Promise<void> {
  return withApp(`${FIXTURES}/scenarios.js`, { args: [name], ...(env === undefined ? {} : { env }) }, check);
}

/** The samples that are not ours, as written. */
function foreignLines({ text }: Metrics): string[] {
  const isOurs = /^(#|$|process_|nodejs_|channel_\w+\{|A123010101_)/;
  return text.split('\n').filter((line) => !isOurs.test(line));
}

function errorsOf(metrics: Metrics): Record<string, number> {
  const counts = metrics.counts('channel_exporter_errors_total');
  // sources begin at zero
  return Object.fromEntries(
    counts.filter(({ count }) => count > 0).map(({ labels, count }) => [labels.source ?? '', count]),
  );
}

describe('examples/own-metrics', () => {
  it('shows what its README says', async () => {
    const readme = readFileSync(join(ROOT, 'examples/own-metrics/README.md'), 'utf8');
    const expected = /```text\n(.*?)```/s.exec(readme)?.[1] as string;
    await withApp('examples/own-metrics/service.js', { env: { ...GLOBAL, ...PROM } }, async (app) => {
      await (await fetch(`http://127.0.0.1:${app.port}/`)).text();
      const metrics = await app.metricsWhen(({ text }) => text.includes('shop_orders_open 0'));
      assert.equal(metrics.text.slice(metrics.text.indexOf('# HELP mails')), expected);
    });
  });
});

describe('a meter', () => {
  it('serves whichever exporter runs, and neither throws nor records while none does', async () => {
    const script = join(ROOT, FIXTURES, 'lifecycle.js');
    const { stdout, stderr } = await promisify(execFile)(nodeBinary(), [script], { env: environment(), cwd: ROOT });
    const shown = (count: number, times: number) => [
      200,
      ...['batch_a 8', 'batch_b 8', 'depth 7'],
      ...[`orders_total ${count * times}`, `size_count ${times}`, `size_sum ${count * times}`],
    ];
    assert.deepEqual(
      JSON.parse(stdout),
      [[503], shown(2, 1), shown(2, 2), [503], shown(3, 1), shown(3, 2), [503]],
      stderr,
    );
  });

  it('leaves out what a callback observed that throws, rejects or hangs, counts it, and shows the rest', async () => {
    await withScenario('failing', {}, async (app) => {
      // what fails in a collection is counted in the next
      for (const failures of [{}, { meter: 3 }, { meter: 6 }]) {
        const metrics = await app.metrics();
        assert.deepEqual(foreignLines(metrics), ['good 1', 'batch_a 1', 'batch_b_total 2']);
        assert.deepEqual(errorsOf(metrics), failures);
      }
      assert.match(app.stderr(), /CHX_OWN_METRICS_FAILED: .* from meter: Error: the queue is gone/);
    });
  });

  it('takes nonsense without throwing into the application and without spoiling the scrape', async () => {
    await withScenario('wrong', {}, async (app) => {
      const metrics = await app.metrics();
      assert.ok(foreignLines(metrics).includes('good 1'), metrics.text);
      assert.ok(!metrics.text.includes('channel_exporter_errors_total 7'));
    });
  });
});

describe('the global meter provider', () => {
  it('is not touched by default', async () => {
    await withScenario('global', {}, async (app) => {
      assert.deepEqual(foreignLines(await app.metrics()), []);
    });
  });

  it('is ours with CHANNEL_EXPORTER_GLOBAL=1', async () => {
    await withScenario('global', GLOBAL, async (app) => {
      assert.deepEqual(foreignLines(await app.metrics()), ['library_calls_total 2', 'library_size 1']);
      assert.doesNotMatch(app.stderr(), /CHX_/);
    });
  });

  it("makes way for the application's own, whose registration succeeds", async () => {
    await withScenario('global-taken-later', GLOBAL, async (app) => {
      assert.match(app.stdout(), /^registered true\nis its own true$/m);
      await until(
        () => /CHX_GLOBAL_REFUSED: .* the application has registered one of its own/.test(app.stderr()),
        app.stderr,
      );
      assert.deepEqual(foreignLines(await app.metrics()), ['library_calls_total 3']);
    });
  });

  it('is left alone where the application has registered one before', async () => {
    const nodeArgs: string[] = [];
    const options = { args: ['global-taken-before'], nodeArgs };
    await withApp(`${FIXTURES}/scenarios.js`, options, async (app) => {
      assert.match(app.stdout(), /^is its own true$/m);
      await until(
        () => /CHX_GLOBAL_REFUSED: .* has registered a meter provider of its own/.test(app.stderr()),
        app.stderr,
      );
      assert.deepEqual(foreignLines(await app.metrics()), ['orders_total 1']);
    });
  });

  it("is registered through the application's own copy of the API, of whatever version", async () => {
    const folder = mkdtempSync(join(tmpdir(), 'channel-exporter-api-'));
    try {
      cpSync(join(ROOT, 'node_modules/otel-api-old'), join(folder, 'node_modules/@opentelemetry/api'), {
        recursive: true,
      });
      symlinkSync(ROOT, join(folder, 'node_modules/channel-exporter'));
      const program = `
        const { metrics, trace } = require('@opentelemetry/api');
        metrics.getMeter('library').createCounter('library.calls').add(2);
        console.log('version ' + globalThis[Symbol.for('opentelemetry.js.api.1')].version);
        console.log('tracing ' + trace.setGlobalTracerProvider({ getTracer() {} }));
        require('node:net').createServer().listen(0, () => console.log('ready 1'));`;
      writeFileSync(join(folder, 'app.js'), program);
      await withApp(join(folder, 'app.js'), { env: GLOBAL, cwd: folder }, async (app) => {
        assert.match(app.stdout(), /^version 1\.4\.1\ntracing true$/m);
        assert.deepEqual(foreignLines(await app.metrics()), ['library_calls_total 2']);
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('is said to be missing where the application has no API', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'channel-exporter-api-'));
    try {
      const program = "require('node:net').createServer().listen(0, () => console.log('ready 1'));";
      writeFileSync(join(folder, 'app.js'), program);
      const nodeArgs = ['-r', join(ROOT, 'dist/register.js')];
      await withApp(join(folder, 'app.js'), { env: GLOBAL, cwd: folder, nodeArgs }, async (app) => {
        await until(
          () => /CHX_GLOBAL_REFUSED: .* the application has no @opentelemetry\/api/.test(app.stderr()),
          app.stderr,
        );
        await app.metrics();
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

const PROM_LINES = [
  'visits_total{door="a \\"b\\" \\\\ \\n}"} 1',
  'wait_seconds_bucket{le="0.5"} 0',
  'wait_seconds_bucket{le="1"} 1',
  'wait_seconds_bucket{le="+Inf"} 1',
  'wait_seconds_sum 0.7',
  'wait_seconds_count 1',
];

describe('the metrics of prom-client', () => {
  const cases: readonly [title: string, script: string, options: AppOptions, lines: string[]][] = [
    ['are not on the scrape by default', 'scenarios.js', { args: ['prom-client'] }, []],
    ['are on it with CHANNEL_EXPORTER_PROM_CLIENT=1', 'scenarios.js', { args: ['prom-client'], env: PROM }, PROM_LINES],
    [
      'are found where the library was loaded before us',
      'scenarios.js',
      { args: ['prom-client-before'], nodeArgs: [] },
      PROM_LINES,
    ],
    ['are found in an ES module', 'prom.mjs', { env: PROM }, ['orders_total 3', 'visits_total 2']],
    ['are found under its new name', 'scenarios.js', { args: ['successor'], env: PROM }, ['visits_total 1']],
    [
      'come in the plain format also from a registry of OpenMetrics',
      'scenarios.js',
      { args: ['openmetrics'], env: PROM },
      ['visits_total 4', 'wait_bucket{le="1"} 1', 'wait_bucket{le="+Inf"} 1', 'wait_sum 0.5', 'wait_count 1'],
    ],
  ];
  for (const [title, script, options, lines] of cases) {
    it(title, async () => {
      await withApp(`${FIXTURES}/${script}`, options, async (app) => {
        const metrics = await app.metrics();
        assert.deepEqual(foreignLines(metrics), lines);
        for (const type of metrics.types.values()) assert.match(type, /^(counter|gauge|histogram|summary)$/);
      });
    });
  }

  it('are left out as a whole when their collection fails or hangs, which is said, counted, and not for ever', async () => {
    await withScenario('prom-client-failing', PROM, async (app) => {
      for (const failures of [1, 2]) {
        const metrics = await app.metrics();
        assert.deepEqual(foreignLines(metrics), ['orders_total 1']);
        assert.match(metrics.text, /^# prom-client: its metrics could not be read and are missing from this scrape$/m);
        assert.deepEqual(errorsOf(metrics), { 'prom-client': failures });
      }
      assert.match(app.stderr(), /CHX_OWN_METRICS_FAILED: .* from prom-client: Error: the queue is gone/);
      const metrics = await app.metrics();
      assert.deepEqual(foreignLines(metrics), ['orders_total 1', 'visits_total 1', 'depth 0']);
      assert.doesNotMatch(metrics.text, /missing from this scrape/);
    });
  });
});

describe('a name that several claim', () => {
  it('is served once, ours first, then meters, then prom-client, and is reported once', async () => {
    await withScenario('clashes', { ...GLOBAL, ...PROM }, async (app) => {
      const expected = ['orders_total 1', 'library_calls_total 1', 'visits_total 5', 'other_total 6'];
      for (let scrape = 0; scrape < 2; scrape++) assert.deepEqual(foreignLines(await app.metrics()), expected);
      const lines = app.stderr().match(/CHX_NAME_CLASH: .*/g) ?? [];
      const reported = lines.map((line) => /CHX_NAME_CLASH: (.*) is left out/.exec(line)?.[1]);
      assert.deepEqual(reported.sort(), [
        'orders_total of the meter library',
        'orders_total, library_calls_total, partner_http_metrics_sum, channel_exporter_errors_total of prom-client',
        'visits_total of @prometheus-io/client',
      ]);
    });
  });
});
