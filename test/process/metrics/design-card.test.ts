/**
 * What the design says of OpenTelemetry, on processes under the preload: whose code counts, whose aggregation holds the
 * counts, and who reads them for the scrape. docs/architecture.md has the table of it.
 */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type App, INNER, runApp } from '../../support/app';
import { ROOT } from '../../support/paths';

const PROGRAM = 'test/fixtures/apps/ends-by-signal.js';
const REQUESTS = 7;
const SCRAPES = 3;
const MEASURING = 'dist/bundles/measuring.js';
const PROMETHEUS = 'dist/src/exporter/prometheus.js';
/** In force in a plain run: as the design names them, and what they need. */
const PACKAGES = [
  '@opentelemetry/api',
  '@opentelemetry/exporter-prometheus',
  '@opentelemetry/resources',
  '@opentelemetry/sdk-metrics',
];

const folder = mkdtempSync(join(tmpdir(), 'chx-card-'));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Covered {
  readonly url: string;
  readonly functions: readonly {
    readonly functionName: string;
    readonly ranges: readonly [{ readonly startOffset: number; readonly count: number }];
  }[];
}

/** How often the functions of a process were called, by Node's own count. */
class Calls {
  private readonly scripts: readonly Covered[];

  constructor(written: string) {
    this.scripts = readdirSync(written).flatMap((file) => JSON.parse(readFileSync(join(written, file), 'utf8')).result);
  }

  /** @param className as it stands in the file; its constructor has the same name */
  of(file: string, className: string, method: string): number {
    const text = readFileSync(join(ROOT, file), 'utf8');
    const begin = text.search(new RegExp(`\\b${className}\\d? ?= ?class\\b|\\bclass ${className}\\b`));
    assert.ok(begin >= 0, `${file} has a class ${className}`);
    const script = this.scripts.find(({ url }) => url.startsWith('file:') && fileURLToPath(url) === join(ROOT, file));
    assert.ok(script, `${file} is loaded`);
    const found = script.functions.find(
      ({ functionName, ranges }) => functionName === method && ranges[0].startOffset >= begin,
    );
    return found?.ranges[0].count ?? 0;
  }

  /** Files of packages that were loaded from where they are installed. */
  packageFiles(): string[] {
    return this.scripts.map(({ url }) => url).filter((url) => url.includes('/node_modules/'));
  }
}

async function ask(app: App, times: number): Promise<void> {
  for (let n = 0; n < times; n++) await (await fetch(`http://127.0.0.1:${app.port}/x`)).arrayBuffer();
}

async function end(app: App): Promise<void> {
  app.child.kill('SIGTERM');
  assert.deepEqual(await app.exited(), { code: 0, signal: null });
}

describe("OpenTelemetry's packages", () => {
  it('take part in the releases that package.json names', () => {
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const licences = readFileSync(join(ROOT, 'dist/third-party-licences.txt'), 'utf8');
    for (const name of PACKAGES) {
      assert.match(dependencies[name], /^\d+\.\d+\.\d+$/);
      assert.ok(licences.includes(`\n${name} ${dependencies[name]} (Apache-2.0)\n`), name);
    }
  });

  it('record every request, hold the counts and read them for every scrape', async () => {
    const written = join(folder, 'coverage');
    const app = await runApp(PROGRAM, { env: { NODE_V8_COVERAGE: written } });
    await ask(app, REQUESTS);
    const last = await app.metricsWhen((metrics) => metrics.counts(INNER)[0]?.count === REQUESTS);
    for (let n = 1; n < SCRAPES; n++) assert.deepEqual((await app.metrics()).counts(INNER), last.counts(INNER));
    await end(app);

    const calls = new Calls(written);
    assert.equal(calls.of(MEASURING, 'MeterProvider', 'MeterProvider'), 1);
    assert.equal(calls.of(MEASURING, 'HistogramAccumulation', 'record'), REQUESTS);
    // beside the requests, the zeros with which counters begin
    const records = calls.of(MEASURING, 'SyncMetricStorage', 'record');
    const zeros = calls.of(MEASURING, 'SumAccumulation', 'record');
    assert.equal(records, REQUESTS + zeros);
    assert.ok(zeros > 0);
    assert.equal(calls.of(PROMETHEUS, 'PrometheusExporter', '_PrometheusExporter'), 1);
    assert.ok(calls.of(PROMETHEUS, 'MetricReader', 'collect') >= SCRAPES);
    assert.deepEqual(calls.packageFiles(), []);
  });

  it("hold the counts of the scrape in the SDK's aggregation alone", async () => {
    // the same package, but for an SDK that counts every measurement twice
    const copy = join(folder, 'copy');
    cpSync(join(ROOT, 'dist'), join(copy, 'dist'), { recursive: true });
    cpSync(join(ROOT, 'package.json'), join(copy, 'package.json'));
    const bundle = join(copy, MEASURING);
    const text = readFileSync(bundle, 'utf8');
    const once = /this\._current\.buckets\.counts\[idx\] ?\+= ?1\b/g;
    assert.equal(text.match(once)?.length, 1);
    const twice = '(this._current.buckets.counts[idx] += 2, this._current.count += 1)';
    writeFileSync(bundle, text.replace(once, twice));
    const app = await runApp(PROGRAM, { nodeArgs: ['-r', join(copy, 'dist/register.js')] });
    await ask(app, REQUESTS);
    const metrics = await app.metricsWhen((each) => (each.counts(INNER)[0]?.count ?? 0) >= 2 * REQUESTS);
    assert.equal(metrics.counts(INNER)[0]?.count, 2 * REQUESTS);
    await end(app);
  });

  it('apply the Views: one that the test changes changes the scrape', async () => {
    const names = ['http_ms', 'answers_ms'];
    for (const [index, name] of names.entries()) {
      const aggregation = { type: 'EXPLICIT_BUCKET_HISTOGRAM', options: { boundaries: [index + 0.5, 30_000] } };
      const views = JSON.stringify([{ instrumentName: 'channel.inner.duration', name, aggregation }]);
      const app = await runApp(PROGRAM, { env: { CHANNEL_EXPORTER_VIEWS: views } });
      await ask(app, 1);
      const { samples } = await app.metricsWhen((metrics) => metrics.counts(name).length > 0);
      const buckets = samples.filter((sample) => sample.name === `${name}_bucket`).map(({ labels }) => labels.le);
      assert.deepEqual(buckets, [`${index}.5`, '30000.0', '+Inf']);
      await end(app);
    }
  });
});
