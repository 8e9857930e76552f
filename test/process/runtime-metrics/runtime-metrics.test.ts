/** What processes say of themselves: under the names that dashboards know, true, and of each process that is there. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { type Metrics, parseMetrics } from '../../support/metrics';
import { FIXTURES, ROOT } from '../../support/paths';
import { ask, openWorld, PRELOAD, PROGRAMS, type Ready, type Service, until, type World } from '../../support/service';

const SERVICE = [...PRELOAD, join(FIXTURES, 'runtime-metrics/service.js')];
const isLinux = process.platform === 'linux';
const onLinux = { skip: !isLinux && 'only Linux has it' };
const OWN = /^(process|nodejs)_/;

interface Started {
  readonly world: World;
  readonly service: Service;
  readonly ready: Ready;
}

async function withService(env: Readonly<Record<string, string>>, use: (started: Started) => Promise<void>) {
  const world = await openWorld();
  try {
    const service = world.start({ args: SERVICE, env });
    const [ready] = await service.ready(1);
    assert.ok(ready);
    await world.scrapeWhen(() => true);
    await use({ world, service, ready });
  } finally {
    await world.end();
  }
}

async function valueAt(port: number, path: string): Promise<unknown> {
  return JSON.parse(await ask(port, path)).value;
}

/** The only series of a family. */
function onlyValue(metrics: Metrics, family: string): number {
  const [sample, ...others] = metrics.samples.filter(({ name }) => name === family);
  assert.ok(sample !== undefined && others.length === 0, family);
  assert.deepEqual(sample.labels, {});
  return sample.value;
}

function processesOf(metrics: Metrics, family: string): (string | undefined)[] {
  const samples = metrics.samples.filter(({ name }) => name === family);
  return samples.map(({ labels }) => labels.process).sort();
}

/** Families of a text in the format of a scrape, with their types. */
const ofText = (text: string) => [...parse(text).types];
/** Others write empty lines between families. */
const parse = (text: string) => parseMetrics(text.replace(/\n+/g, '\n'));

describe('families that other clients have', () => {
  const migration = readFileSync(join(ROOT, 'docs/migration.md'), 'utf8');
  const metricsPage = readFileSync(join(ROOT, 'docs/metrics.md'), 'utf8');
  const isListed = (page: string, name: string) => page.includes(`\`${name}\``);

  it('of the Python client have their twin here, or a line in docs/migration.md', onLinux, () =>
    withService({}, async ({ world }) => {
      const { types } = await world.scrape();
      const python = ofText(readFileSync(join(FIXTURES, 'runtime-metrics/python-client.txt'), 'utf8'));
      assert.ok(python.length >= 10);
      for (const [name, type] of python) {
        if (types.has(name)) assert.equal(types.get(name), type, name);
        else assert.ok(isListed(migration, name), name);
      }
      const twins = python.filter(([name]) => types.has(name)).map(([name]) => name);
      assert.deepEqual(
        twins,
        python.map(([name]) => name).filter((name) => name.startsWith('process_')),
      );
    }),
  );

  it('of prom-client have their twin here, or a line in docs/metrics.md', onLinux, () =>
    withService({}, async ({ world }) => {
      const { types, samples } = await world.scrape();
      const registry = new Registry();
      collectDefaultMetrics({ register: registry });
      // before its first sample its mean is no number
      await new Promise((resolve) => setTimeout(resolve, 100));
      const text = await registry.metrics();
      const missing = ofText(text).filter(([name, type]) => types.get(name) !== type);
      for (const [name] of missing) assert.ok(isListed(metricsPage, name), name);
      assert.ok(ofText(text).length - missing.length >= 24, 'most of them are here');
      // with the same labels
      const labelsOf = (all: Metrics['samples']) =>
        new Map(all.map(({ name, labels }) => [name, Object.keys(labels).sort().join()]));
      const ours = labelsOf(samples);
      for (const [name, labels] of labelsOf(parse(text).samples)) {
        if (ours.has(name)) assert.equal(ours.get(name), labels, name);
      }
    }),
  );

  it('are away where a switch is off', () =>
    withService({ CHANNEL_EXPORTER_RUNTIME_METRICS: 'off' }, async ({ world }) => {
      const { types } = await world.scrape();
      assert.deepEqual(
        [...types.keys()].filter((name) => OWN.test(name)),
        [],
      );
    }));
});

describe('a process', () => {
  it('says what the system says of it', onLinux, () =>
    withService({}, async ({ world, ready }) => {
      const statusOf = (field: string) =>
        Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${ready.pid}/status`, 'utf8'))?.[1]);
      assert.equal(await valueAt(ready.port, '/files?100'), undefined);
      const metrics = await world.scrape();
      const within = (share: number, name: string, expected: number) =>
        assert.ok(
          Math.abs(onlyValue(metrics, name) / expected - 1) < share,
          `${name} ${onlyValue(metrics, name)} ${expected}`,
        );
      within(0.1, 'process_resident_memory_bytes', statusOf('VmRSS') * 1024);
      within(0.1, 'process_virtual_memory_bytes', statusOf('VmSize') * 1024);
      const open = readdirSync(`/proc/${ready.pid}/fd`).length;
      assert.ok(open > 100);
      // the connection of the scrape comes and goes
      assert.ok(Math.abs(onlyValue(metrics, 'process_open_fds') - open) <= 3, `${open}`);
      const limits = readFileSync(`/proc/${ready.pid}/limits`, 'utf8');
      assert.equal(onlyValue(metrics, 'process_max_fds'), Number(/^Max open files +(\d+)/m.exec(limits)?.[1]));
      const age = Date.now() / 1_000 - onlyValue(metrics, 'process_start_time_seconds');
      assert.ok(age > 0 && age < 60, `${age}`);
      const version = metrics.samples.find(({ name }) => name === 'nodejs_version_info');
      assert.match(version?.labels.version ?? '', /^v\d+\.\d+\.\d+/);
    }),
  );

  it('counts the CPU time that it uses', () =>
    withService({}, async ({ world, ready }) => {
      const before = onlyValue(await world.scrape(), 'process_cpu_seconds_total');
      await ask(ready.port, '/busy?500');
      const metrics = await world.scrape();
      const used = onlyValue(metrics, 'process_cpu_seconds_total') - before;
      // on a machine that does other work it has less of a processor
      assert.ok(used > 0.1 && used < 2, `${used}`);
      const parts = ['user', 'system'].map((part) => onlyValue(metrics, `process_cpu_${part}_seconds_total`));
      assert.ok(
        Math.abs(parts.reduce((sum, part) => sum + part) - onlyValue(metrics, 'process_cpu_seconds_total')) < 1e-6,
      );
    }));

  it('shows how long its event loop was held, once, and how busy it was', () =>
    withService({}, async ({ world, ready }) => {
      // the first scrape began to sample
      await until(async () => Number(await valueAt(ready.port, '/wakes')) > 0 || !isLinux, 'it does not answer');
      await new Promise((resolve) => setTimeout(resolve, 200));
      await ask(ready.port, '/busy?400');
      await new Promise((resolve) => setTimeout(resolve, 100));
      const held = await world.scrape();
      assert.ok(onlyValue(held, 'nodejs_eventloop_lag_max_seconds') >= 0.38);
      assert.ok(
        onlyValue(held, 'nodejs_eventloop_lag_p99_seconds') <= onlyValue(held, 'nodejs_eventloop_lag_max_seconds'),
      );
      // without the time between two samples, which is twenty milliseconds
      assert.ok(onlyValue(held, 'nodejs_eventloop_lag_min_seconds') < 0.015);
      const busy = onlyValue(held, 'nodejs_eventloop_utilization');
      assert.ok(busy > 0.2 && busy <= 1, `${busy}`);
      assert.ok(onlyValue(await world.scrape(), 'nodejs_eventloop_lag_max_seconds') < 0.38);
    }));

  it('counts its garbage collections, by kind', () =>
    withService({}, async ({ world, ready }) => {
      const kinds = ['incremental', 'major', 'minor', 'weakcb'];
      const before = (await world.scrape()).counts('nodejs_gc_duration_seconds');
      assert.deepEqual(before.map(({ labels }) => labels.kind).sort(), kinds);
      const of = (counts: typeof before, kind: string) => counts.find(({ labels }) => labels.kind === kind)?.count ?? 0;
      await ask(ready.port, '/garbage');
      const after = await world.scrape();
      const minor = of(after.counts('nodejs_gc_duration_seconds'), 'minor') - of(before, 'minor');
      assert.ok(minor >= 10, `${minor}`);
      const spent = after.samples.find(
        ({ name, labels }) => name === 'nodejs_gc_duration_seconds_sum' && labels.kind === 'minor',
      );
      assert.ok(spent !== undefined && spent.value > 0 && spent.value < 10, `${spent?.value}`);
    }));

  it('ends by itself after it was scraped', () =>
    withService({}, async ({ world, service, ready }) => {
      await ask(ready.port, '/busy?200');
      await world.scrape();
      await ask(ready.port, '/close');
      await until(() => service.child.exitCode === 0, 'it goes on');
    }));

  it('is observed no more once the exporter has ended', onLinux, () =>
    withService({}, async ({ world, ready }) => {
      const wokenWhile = async (ms: number) => {
        const before = Number(await valueAt(ready.port, '/wakes'));
        await new Promise((resolve) => setTimeout(resolve, ms));
        return Number(await valueAt(ready.port, '/wakes')) - before;
      };
      await ask(ready.port, '/busy?200');
      await world.scrape();
      assert.equal(await valueAt(ready.port, '/observers'), 1);
      // a sample each twenty milliseconds
      assert.ok((await wokenWhile(1_000)) > 30);
      await ask(ready.port, '/shutdown');
      assert.ok((await wokenWhile(1_000)) < 30);
      assert.equal(await valueAt(ready.port, '/observers'), 0);
    }),
  );
});

describe('several processes', () => {
  it('have a series each, which goes with its process', async () => {
    const world = await openWorld();
    try {
      const service = world.start({ args: [...PRELOAD, join(PROGRAMS, 'cluster.js')], env: { WORKERS: '2' } });
      const [ready] = await service.ready(2);
      assert.ok(ready);
      const CPU = 'process_cpu_seconds_total';
      const before = await world.scrapeWhen((metrics) => processesOf(metrics, CPU).length === 3);
      const pids = [service.child.pid, ...(await service.ready(2)).map(({ pid }) => pid)].map(String).sort();
      const families = [...before.types.keys()].filter(
        (name) => OWN.test(name) && name !== 'nodejs_gc_duration_seconds',
      );
      assert.ok(families.length > 20);
      for (const family of families) {
        // what keeps the loop alive may be nothing
        if (family !== 'nodejs_active_resources') {
          assert.deepEqual([...new Set(processesOf(before, family))], pids, family);
        }
      }
      const gone = JSON.parse(await ask(ready.port, '/exit')).pid;
      const after = await world.scrapeWhen((metrics) => processesOf(metrics, CPU).length === 2);
      assert.ok(!processesOf(after, CPU).includes(String(gone)));
      assert.ok(!after.text.includes(`process="${gone}"`));
      // of those that are there no counter has fallen
      for (const { name, labels, value } of after.samples.filter((sample) => sample.name === CPU)) {
        const earlier = before.samples.find((each) => each.name === name && each.labels.process === labels.process);
        assert.ok(earlier !== undefined && value >= earlier.value);
      }
    } finally {
      await world.end();
    }
  });

  it('keep their label when the hub has ended and one is left', async () => {
    const world = await openWorld();
    try {
      const first = world.start({ args: SERVICE });
      await first.ready(1);
      await world.scrapeWhen(() => true);
      const second = world.start({ args: SERVICE });
      const [left] = await second.ready(1);
      await world.scrapeWhen((metrics) => processesOf(metrics, 'process_open_fds').length === 2 || !isLinux);
      await first.stop();
      const isAlone = (metrics: Metrics) => processesOf(metrics, 'process_cpu_seconds_total').length === 1;
      const metrics = await world.scrapeWhen(isAlone);
      assert.deepEqual(processesOf(metrics, 'process_cpu_seconds_total'), [String(left?.pid)]);
    } finally {
      await world.end();
    }
  });

  it('are processes: their threads say nothing of their own', async () => {
    const world = await openWorld();
    try {
      const service = world.start({ args: [...PRELOAD, join(PROGRAMS, 'threads.js')], env: { WORKERS: '2' } });
      await service.ready(2);
      const metrics = await world.scrapeWhen(({ samples }) =>
        samples.some(
          ({ name, labels, value }) =>
            name === 'channel_exporter_processes' && labels.state === 'thread' && value === 2,
        ),
      );
      assert.ok(onlyValue(metrics, 'process_cpu_seconds_total') > 0);
    } finally {
      await world.end();
    }
  });
});

describe("prom-client's default metrics on the same scrape", () => {
  it('give way to ours without a word, and those that we have not follow', () =>
    withService({ DEFAULT_METRICS: '1', CHANNEL_EXPORTER_PROM_CLIENT: 'on' }, async ({ world, service }) => {
      const metrics = await world.scrapeWhen(({ types }) => types.has('nodejs_active_handles_total'));
      onlyValue(metrics, 'process_cpu_seconds_total');
      assert.equal(service.said('CHX_NAME_CLASH').length, 0, service.output());
    }));

  it('are there as they are where ours are switched off', () =>
    withService(
      { DEFAULT_METRICS: '1', CHANNEL_EXPORTER_PROM_CLIENT: 'on', CHANNEL_EXPORTER_RUNTIME_METRICS: 'off' },
      async ({ world }) => {
        const metrics = await world.scrapeWhen(({ types }) => types.has('nodejs_active_handles_total'));
        onlyValue(metrics, 'process_cpu_seconds_total');
        assert.equal(metrics.types.has('nodejs_eventloop_utilization'), false);
      },
    ));
});
