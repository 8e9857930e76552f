/** The configurations of ops/deploy/prometheus: promtool accepts them, and a real Prometheus labels as they say. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse } from 'yaml';
import { type App, INNER, runApp, SYSCODE } from '../../support/app';
import { type DebianProgram, findDebianProgram, reportNotRun } from '../../support/debian';
import { ROOT } from '../../support/paths';
import { Prometheus } from '../../support/prometheus';

const FOLDER = join(ROOT, 'ops/deploy/prometheus');
const PROMETHEUS: DebianProgram = { packages: ['prometheus'], program: 'usr/bin/prometheus' };
const PROMTOOL: DebianProgram = { packages: ['prometheus'], program: 'usr/bin/promtool' };

interface ScrapeConfig {
  readonly [key: string]: unknown;
  readonly kubernetes_sd_configs?: readonly object[];
}

interface Config {
  readonly global?: object;
  readonly scrape_configs: readonly ScrapeConfig[];
}

const read = (name: string) => parse(readFileSync(join(FOLDER, name), 'utf8')) as Config;

/** What Kubernetes would find, given by hand: Debian's Prometheus is built without it. */
function withTargets(config: Config, targets: readonly object[]): Config {
  const scrape_configs = config.scrape_configs.map(({ kubernetes_sd_configs, file_sd_configs, ...rest }) => ({
    ...rest,
    ...{ scrape_interval: '1s', scrape_timeout: '1s' },
    static_configs: targets,
  }));
  return { ...config, scrape_configs };
}

/** A port of a pod as Prometheus finds it. */
function podPort(address: string, labels: Readonly<Record<string, string>>): object {
  const meta = {
    annotation_prometheus_io_scrape: 'true',
    annotation_prometheus_io_port: '9166',
    annotation_prometheus_io_path: '/metrics',
    container_port_number: '9166',
    phase: 'Running',
    label_syscode: SYSCODE,
    label_app: 'orders',
    name: 'orders-1',
    ...labels,
  };
  const named = Object.entries(meta).map(([name, value]) => [`__meta_kubernetes_pod_${name}`, value]);
  return { targets: [address], labels: { ...Object.fromEntries(named), __meta_kubernetes_namespace: 'shop' } };
}

describe('the configurations for Prometheus', () => {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.yml'));

  it('are accepted by promtool, each of them', async (t) => {
    const found = await findDebianProgram(PROMTOOL);
    if ('missing' in found) return reportNotRun(t, found.missing);
    assert.ok(files.length >= 6, `${files}`);
    const copy = mkdtempSync(join(tmpdir(), 'chx-promtool-'));
    try {
      cpSync(FOLDER, copy, { recursive: true });
      for (const name of files) {
        const config = read(name);
        for (const { kubernetes_sd_configs } of config.scrape_configs) {
          if (kubernetes_sd_configs === undefined) continue;
          assert.deepEqual(kubernetes_sd_configs, [{ role: 'pod' }]);
          writeFileSync(join(copy, name), JSON.stringify(withTargets(config, [])));
        }
        const output = execFileSync(found.path, ['check', 'config', join(copy, name)], { encoding: 'utf8' });
        assert.match(output, /SUCCESS/, name);
      }
    } finally {
      rmSync(copy, { recursive: true });
    }
  });

  describe('with a service', () => {
    let app: App;
    before(async () => {
      app = await runApp('test/fixtures/apps/hello.js');
      await fetch(`http://127.0.0.1:${app.port}/`);
    });
    after(() => app?.stop());

    /** Every series that is asked for has one `application`, and none is renamed. */
    async function checkApplication(prometheus: Prometheus): Promise<void> {
      for (const name of ['up', 'process_cpu_seconds_total', `${INNER}_count`]) {
        await prometheus.when(name, async () => (await prometheus.query(name)).length > 0);
        const [series, ...others] = await prometheus.query(name);
        assert.deepEqual([series?.labels.application, others], [SYSCODE, []], name);
        assert.deepEqual([series?.labels.job, series?.labels.exported_application], ['orders', undefined], name);
      }
    }

    it('find the scrape of a pod once, by its annotations, and name its application', async (t) => {
      const found = await findDebianProgram(PROMETHEUS);
      if ('missing' in found) return reportNotRun(t, found.missing);
      const scrape = new URL(app.metricsUrl).host;
      const config = withTargets(read('kubernetes.yml'), [
        podPort(scrape, {}),
        podPort(`127.0.0.1:${app.port}`, { container_port_number: '3000' }),
        podPort('127.0.0.1:1', { annotation_prometheus_io_scrape: '' }),
        podPort('127.0.0.1:2', { phase: 'Succeeded' }),
      ]);
      const prometheus = await Prometheus.startWith(found.path, config);
      try {
        await checkApplication(prometheus);
        const targets = await prometheus.query('up');
        assert.deepEqual(
          targets.map(({ labels: { namespace, pod, instance } }) => ({ namespace, pod, instance })),
          [{ namespace: 'shop', pod: 'orders-1', instance: scrape }],
        );
      } finally {
        await prometheus.stop();
      }
    });

    it('take the application of a host from the file of targets', async (t) => {
      const found = await findDebianProgram(PROMETHEUS);
      if ('missing' in found) return reportNotRun(t, found.missing);
      const [orders] = JSON.parse(readFileSync(join(FOLDER, 'targets/orders.json'), 'utf8')) as [{ labels: object }];
      const target = { ...orders, targets: [new URL(app.metricsUrl).host] };
      const prometheus = await Prometheus.startWith(found.path, withTargets(read('file-sd.yml'), [target]));
      try {
        await checkApplication(prometheus);
      } finally {
        await prometheus.stop();
      }
    });
  });
});
