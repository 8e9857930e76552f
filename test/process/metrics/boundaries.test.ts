/** What docs/boundaries.md says of histograms, asked of a real Prometheus that scrapes two services. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { parse } from 'yaml';
import { type App, runApp } from '../../support/app';
import { type DebianProgram, findDebianProgram, reportNotRun } from '../../support/debian';
import { ROOT } from '../../support/paths';
import { Prometheus, type QueryResult } from '../../support/prometheus';

const HELLO = join(ROOT, 'test/fixtures/apps/hello.js');
const PROMETHEUS: DebianProgram = { packages: ['prometheus'], program: 'usr/bin/prometheus' };
const PAGE = readFileSync(join(ROOT, 'docs/boundaries.md'), 'utf8');
const REQUESTS = 100;
const DEFAULT = [100, 200, 500, 800, 1000, 1500, 2000, 2500, 3000, 4000, 5000, 6000, 8000];
const DIFFERENT = '5,10,25,50,250';
const FINER = ['5,10,25,50', ...DEFAULT].join(',');

/** The query, or the file of rules, that follows a mark in the page. */
function documented(name: string): string {
  const [, text] = new RegExp(`^<!-- query: ${name} -->\\n *\`\`\`\\w+\\n(.*?)^ *\`\`\`$`, 'ms').exec(PAGE) ?? [];
  assert.ok(text !== undefined, `docs/boundaries.md has no query ${name}`);
  return text;
}

const P95 = 'histogram_quantile(0.95, sum by (le) (rate({__name__=~".+_inner_metrics_bucket"}[5m])))';
const values = (rows: readonly QueryResult[]) => rows.map(({ value }) => value);

async function start(syscode: string, buckets?: string): Promise<App> {
  const env = { SYSCODE: syscode, CHANNEL_EXPORTER_INNER_METRICS_BUCKETS: buckets };
  const app = await runApp(HELLO, { env });
  return app;
}

const hostOf = (app: App) => new URL(app.metricsUrl).host.replace('localhost', '127.0.0.1');

describe('bucket boundaries, in a real Prometheus', () => {
  let program: string | undefined;
  let missing = '';
  before(async () => {
    const found = await findDebianProgram(PROMETHEUS);
    if ('missing' in found) missing = found.missing;
    else program = found.path;
  });

  /** Runs services with one system code after the other, and asks a Prometheus that has scraped requests of all. */
  function asked(
    title: string,
    buckets: readonly (string | undefined)[],
    ask: (prometheus: Prometheus) => Promise<void>,
  ) {
    it(title, async (test) => {
      if (program === undefined) return reportNotRun(test, missing);
      const apps = await Promise.all(buckets.map((each, n) => start(`A12301010${n}`, each)));
      // connections and code that are there when the counted requests come
      for (const app of apps) for (let n = 0; n < 20; n++) await fetch(`http://127.0.0.1:${app.port}/healthcheck`);
      const targets = Object.fromEntries(apps.map((app, n) => [`service${n}`, hostOf(app)]));
      const prometheus = await Prometheus.start(program, targets);
      try {
        for (const app of apps) for (let n = 0; n < REQUESTS; n++) await fetch(`http://127.0.0.1:${app.port}/a`);
        // a rate has no value before the second sample
        await prometheus.when('all requests are counted', async () => {
          const grown = await prometheus.query('sum(increase({__name__=~".+_inner_metrics_count"}[5m])) > 0');
          const counted = await prometheus.query('sum({__name__=~".+_inner_metrics_count"})');
          return grown.length > 0 && counted[0]?.value === REQUESTS * apps.length;
        });
        await ask(prometheus);
      } finally {
        await prometheus.stop();
        await Promise.all(apps.map((app) => app.stop()));
      }
    });
  }

  asked('a p95 below the first boundary reads 95, and the average is true', [undefined], async (prometheus) => {
    const [p95 = Number.NaN] = values(await prometheus.query(P95));
    // a little more where this machine was busy and a request took longer than the first boundary
    assert.ok(p95 > 94.99 && p95 < 100.01, `${p95}`);
    const [rule] = parse(documented('average')).groups[0].rules as { record: string; expr: string }[];
    const averages = await prometheus.query(rule?.expr ?? '');
    assert.deepEqual(
      averages.map(({ labels }) => labels),
      [{ application: 'A123010100', path: '/a' }],
    );
    assert.ok(
      values(averages).every((each) => each > 0 && each < 50),
      `${values(averages)}`,
    );
    assert.match(rule?.record ?? '', /^[a-z_]+:[a-z_]+:avg5m$/);
  });

  asked('services that have the same are not warned of', [FINER, FINER], async (prometheus) => {
    assert.deepEqual(await prometheus.query(documented('differ')), []);
    assert.deepEqual(await prometheus.query(documented('others')), []);
    const [p95 = Number.NaN] = values(await prometheus.query(P95));
    assert.ok(p95 < 90, `${p95}`);
  });

  asked(
    'services that differ are warned of by name, and added up read nonsense',
    [undefined, DIFFERENT, undefined],
    async (prometheus) => {
      const differ = await prometheus.query(documented('differ'));
      assert.deepEqual(differ, [{ labels: { kind: 'inner_metrics' }, value: 2 }]);
      const [other, ...none] = await prometheus.query(documented('others'));
      assert.equal(other?.labels.job, 'service1');
      assert.equal(other?.labels.boundaries, DIFFERENT.replaceAll(',', ' '));
      assert.deepEqual(none, []);
      assert.deepEqual(values(await prometheus.query(P95)), [8000]);
    },
  );

  asked(
    'of boundaries that all have, services that differ are added up exactly',
    [undefined, FINER],
    async (prometheus) => {
      assert.equal((await prometheus.query(documented('differ'))).length, 1);
      assert.deepEqual(values(await prometheus.query(documented('common'))).map(Math.round), [95]);
    },
  );
});

describe('a start with boundaries that are not the default', () => {
  const cases: readonly [title: string, buckets: string | undefined, said: RegExp | undefined][] = [
    [
      'says what they lack, once',
      DIFFERENT,
      /^channel-exporter: A123010101_inner_metrics has boundaries of its own and lacks 100 200 .* 8000: sums over le .* \(docs\/boundaries\.md\)$/m,
    ],
    [
      'says that they are its own, where none lacks',
      FINER,
      /^channel-exporter: A123010101_inner_metrics has boundaries of its own: sums over le /m,
    ],
    ['says nothing of the default', undefined, undefined],
    ['says nothing of the default that is written out', DEFAULT.join(' '), undefined],
  ];
  for (const [title, buckets, said] of cases) {
    it(title, async () => {
      const app = await start('A123010101', buckets);
      try {
        await app.metrics();
        const lines = app.stderr().match(/^.*boundaries\.md.*$/gm) ?? [];
        assert.equal(lines.length, said === undefined ? 0 : 1, app.stderr());
        if (said !== undefined) assert.match(app.stderr(), said);
      } finally {
        await app.stop();
      }
    });
  }
});
