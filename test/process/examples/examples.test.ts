/** The programs of examples/, as their READMEs run them, give the series that the READMEs show. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type AppOptions, nodeBinary, runApp } from '../../support/app';
import { ROOT } from '../../support/paths';

const EXAMPLES = join(ROOT, 'examples');

interface Example {
  readonly readme: string;
  /** Relative to the project. */
  readonly script: string;
  readonly env?: AppOptions['env'];
  readonly requests: readonly (readonly [method: string, target: string, status: number])[];
  /** Series that must be there, as lines without the value of a time; by default those of the README. */
  readonly series?: readonly string[];
}

const CASES: readonly Example[] = [
  {
    readme: 'functions',
    script: 'examples/functions/service.js',
    requests: [
      ['GET', '/stock/tea', 200],
      ['GET', '/stock/hat', 500],
    ],
  },
  {
    readme: 'functions',
    script: 'build/examples/functions/orders.js',
    requests: [
      ['GET', '/?item=tea&item=cup', 200],
      ['GET', '/?item=hat', 422],
    ],
    series: [
      'request_count_total{env="PROD",url="orders.price"} 3',
      'request_count_total{env="PROD",url="orders.total"} 2',
      'failure_count_total{env="PROD",url="orders.price"} 1',
      'failure_count_total{env="PROD",url="orders.total"} 1',
    ],
  },
  {
    readme: 'flask-families',
    script: 'examples/flask-families/service.js',
    env: { CHANNEL_EXPORTER_FLASK_METRICS: 'on' },
    requests: [
      ['GET', '/users/5', 200],
      ['POST', '/users', 201],
      ['GET', '/no/such/route', 404],
    ],
  },
];

/** A gauge's value is a time, and no two are the same. */
function withoutTimes(line: string): string {
  return line.replace(/^(request_processing_time\{.*\}) .*$/, '$1');
}

function seriesOf(readme: string): string[] {
  const text = readFileSync(join(EXAMPLES, readme, 'README.md'), 'utf8');
  const lines = text.split('\n').filter((line) => /^\w+\{.*\} \S+$/.test(line));
  assert.ok(lines.length > 0, `${readme}/README.md shows series`);
  return lines;
}

describe('the example', () => {
  before(() => {
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    const { status, stdout } = spawnSync(nodeBinary(), [tsc, '-p', join(EXAMPLES, 'functions')], { encoding: 'utf8' });
    assert.equal(status, 0, stdout);
  });
  after(() => rmSync(join(ROOT, 'build/examples'), { recursive: true, force: true }));

  for (const { readme, script, env = {}, requests, series } of CASES) {
    it(`${script} gives the series that are promised`, async () => {
      const app = await runApp(script, { env });
      try {
        for (const [method, target, status] of requests) {
          const response = await fetch(`http://127.0.0.1:${app.port}${target}`, { method });
          await response.arrayBuffer();
          assert.equal(response.status, status, target);
        }
        const wanted = (series ?? seriesOf(readme)).map(withoutTimes);
        const linesOf = (text: string) => text.split('\n').map(withoutTimes);
        const { text } = await app.metricsWhen((metrics) => {
          const lines = new Set(linesOf(metrics.text));
          return wanted.every((line) => lines.has(line));
        });
        assert.ok(!text.includes('/no/such/route'), text);
      } finally {
        await app.stop();
      }
    });
  }
});
