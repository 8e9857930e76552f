/** OTEL_METRICS_EXPORTER with otlp: each measurement arrives once, whatever the receiver does and however many processes. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { environment, INNER, nodeBinary, PARTNER } from '../../support/app';
import { openReceiver, type Receiver } from '../../support/otlp';
import { copyPrograms, openWorkshop, type Workshop } from '../../support/packed';
import { ROOT } from '../../support/paths';
import {
  ask,
  openWorld,
  PRELOAD,
  PROGRAMS,
  type Service,
  send,
  stateOf,
  until,
  type World,
} from '../../support/service';
import { freePort } from '../../support/waiting';

const PROCESSES = 'channel_exporter_processes';
const REQUESTS = 30;
const X = { path: '/x' };
const INTERVAL = { OTEL_METRIC_EXPORT_INTERVAL: '150' };

let receiver: Receiver;
let world: World;

async function withReceiver(use: () => Promise<void>): Promise<void> {
  receiver = await openReceiver();
  world = await openWorld();
  try {
    await use();
  } finally {
    await world.end();
    await receiver.end();
  }
}

function start(program: string, env: Readonly<Record<string, string | undefined>> = {}): Service {
  return world.start({
    args: [...PRELOAD, `${PROGRAMS}/${program}`],
    env: {
      ...INTERVAL,
      OTEL_METRICS_EXPORTER: 'prometheus,otlp',
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      WORKERS: '2',
      ...env,
    },
  });
}

async function portsOf(service: Service, ready: number): Promise<number[]> {
  return [...new Set((await service.ready(ready)).map(({ port }) => port))];
}

/** Kills a worker, and waits until its primary knows and gives it no connection any more. */
async function kill(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  await until(
    async () => {
      try {
        return !process.kill(pid, 0);
      } catch {
        return true;
      }
    },
    () => `${pid} is still there`,
  );
}

function instances(): unknown[] {
  return [...new Set(receiver.pushes.map(({ resource }) => resource['service.instance.id']))];
}

const SERVICES = [
  { name: 'one process', program: 'service.js', ready: 1 },
  { name: 'a cluster', program: 'cluster.js', ready: 2 },
  { name: 'threads', program: 'threads.js', ready: 2 },
];

describe('pushed beside the scrape', () => {
  for (const { name, program, ready } of SERVICES) {
    it(`every request of ${name} arrives once, from the hub, and is on the scrape once`, () =>
      withReceiver(async () => {
        const service = start(program);
        const ports = await portsOf(service, ready);
        for (const round of [1, 2]) {
          for (const port of ports) await send(port, REQUESTS);
          const expected = REQUESTS * ports.length * round;
          assert.equal(await receiver.reaches(INNER, expected, X), expected);
          assert.equal((await world.counted(expected)).counts(INNER)[0]?.count, expected);
        }
        assert.equal(instances().length, 1);
        const [push] = receiver.pushes;
        assert.equal(push?.path, '/v1/metrics');
        assert.equal(push?.resource['service.name'], 'A123010101');
        assert.match(service.said('observes')[0] ?? '', /\/metrics, pushed by otlp; observes/);
        assert.deepEqual(service.said('CHX_'), []);
      }));
  }

  it('what a worker measured that is killed stays, and counts once', () =>
    withReceiver(async () => {
      const service = start('cluster.js');
      const [{ port, pid }] = (await service.ready(2)) as unknown as [{ port: number; pid: number }];
      await send(port, REQUESTS);
      await receiver.reaches(INNER, REQUESTS, X);
      await kill(pid);
      await send(port, REQUESTS);
      assert.equal(await receiver.reaches(INNER, REQUESTS * 2, X), REQUESTS * 2);
      const pushes = receiver.pushes.length;
      await until(
        async () => receiver.pushes.length > pushes + 2,
        () => 'no further push',
      );
      assert.equal(receiver.total(INNER, X), REQUESTS * 2);
      assert.equal((await world.counted(REQUESTS * 2)).counts(INNER)[0]?.count, REQUESTS * 2);
    }));

  for (const { program, path } of [
    { program: 'service.js', path: '/exit' },
    { program: 'shutdown.js', path: '/shutdown' },
  ]) {
    it(`goes on as one stream where the hub of two ends by ${path} and the other has its totals`, () =>
      withReceiver(async () => {
        const [hub] = (await portsOf(start(program), 1)) as [number];
        await world.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'member' }) === 0);
        const heir = start('service.js');
        const [other] = (await portsOf(heir, 1)) as [number];
        await world.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'member' }) === 1);
        for (const port of [hub, other]) await send(port, REQUESTS);
        assert.equal(await receiver.reaches(INNER, REQUESTS * 2, X), REQUESTS * 2);
        for (const port of [hub, other]) await send(port, REQUESTS);
        await ask(hub, path);
        await send(other, REQUESTS);
        await until(
          async () => heir.said('this one does so now').length > 0,
          () => heir.output(),
        );
        assert.equal(await receiver.reaches(INNER, REQUESTS * 5, X), REQUESTS * 5, heir.output());
        assert.equal(instances().length, 1);
      }));
  }

  it('is no call to a partner, even to a receiver that is one', () =>
    withReceiver(async () => {
      const { host } = new URL(receiver.url);
      const file = join(world.folder, 'partners.json');
      writeFileSync(file, JSON.stringify({ hosts: { [host]: { partner: '12' } } }));
      const service = start('service.js', { CHANNEL_EXPORTER_PARTNERS: file });
      await portsOf(service, 1);
      await until(
        async () => receiver.pushes.length > 3,
        () => service.output(),
      );
      assert.deepEqual((await world.scrape()).counts(PARTNER), []);
      assert.equal(receiver.total(PARTNER), 0);
    }));

  it('takes the standard variables of OTLP', () =>
    withReceiver(async () => {
      const service = start('service.js', {
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
        OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${receiver.url}/in`,
        OTEL_EXPORTER_OTLP_HEADERS: 'x-key=secret',
        OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
        OTEL_RESOURCE_ATTRIBUTES: 'service.instance.id=one,team=pay',
        OTEL_SERVICE_NAME: 'orders',
      });
      await portsOf(service, 1);
      await until(
        async () => receiver.pushes.length > 0,
        () => service.output(),
      );
      const [push] = receiver.pushes;
      assert.equal(push?.path, '/in');
      assert.equal(push?.headers['x-key'], 'secret');
      assert.equal(push?.headers['content-encoding'], 'gzip');
      const { team, ...resource } = push?.resource ?? {};
      assert.deepEqual([team, resource['service.instance.id'], resource['service.name']], ['pay', 'one', 'orders']);
    }));

  it('loses nothing while the receiver is down, slow or refuses, and says so once', () =>
    withReceiver(async () => {
      const service = start('service.js', { OTEL_EXPORTER_OTLP_TIMEOUT: '300', OTEL_METRIC_EXPORT_TIMEOUT: '150' });
      const [port] = (await portsOf(service, 1)) as [number];
      await send(port, REQUESTS);
      await receiver.reaches(INNER, REQUESTS, X);
      for (const status of [400, 503, 0]) {
        receiver.status = status;
        const { requests } = receiver;
        await send(port, REQUESTS);
        await until(
          async () => receiver.requests > requests + 2,
          () => `${status}: ${service.output()}`,
        );
      }
      receiver.status = 200;
      assert.equal(await receiver.reaches(INNER, REQUESTS * 4, X), REQUESTS * 4);
      await until(
        async () => service.said('pushed again').length > 0,
        () => service.output(),
      );
      assert.equal(service.said('CHX_PUSH_FAILED').length, 1, service.output());
    }));

  it('sends what was measured last at shutdown()', () =>
    withReceiver(async () => {
      const service = start('shutdown.js', { OTEL_METRIC_EXPORT_INTERVAL: '60000' });
      const [port] = (await portsOf(service, 1)) as [number];
      await send(port, REQUESTS);
      await ask(port, '/shutdown');
      assert.equal(receiver.total(INNER, X), REQUESTS);
      assert.equal(receiver.pushes.length, 1);
    }));

  it('sends what was measured last at shutdown(), behind a slow push too', () =>
    withReceiver(async () => {
      receiver.delayMs = 800;
      const service = start('shutdown.js');
      const [port] = (await portsOf(service, 1)) as [number];
      await send(port, REQUESTS);
      await receiver.reaches(INNER, REQUESTS, X);
      await send(port, REQUESTS);
      await ask(port, '/shutdown');
      assert.equal(receiver.total(INNER, X), REQUESTS * 2);
    }));

  it('waits no longer than a moment at shutdown() for a receiver that does not answer', () =>
    withReceiver(async () => {
      receiver.status = 0;
      const service = start('shutdown.js');
      const [port] = (await portsOf(service, 1)) as [number];
      await send(port, REQUESTS);
      await until(
        async () => receiver.requests > 0,
        () => service.output(),
      );
      const begin = Date.now();
      await ask(port, '/shutdown');
      assert.ok(Date.now() - begin < 4_900, `${Date.now() - begin} ms`);
    }));
});

describe('pushed alone', () => {
  for (const { name, program, ready } of SERVICES) {
    it(`every request of ${name} arrives once, and no port is opened`, () =>
      withReceiver(async () => {
        const service = start(program, { OTEL_METRICS_EXPORTER: 'otlp' });
        const ports = await portsOf(service, ready);
        for (const round of [1, 2]) {
          for (const port of ports) await send(port, REQUESTS);
          const expected = REQUESTS * ports.length * round;
          assert.equal(await receiver.reaches(INNER, expected, X), expected);
        }
        await assert.rejects(world.scrape(), /ECONNREFUSED/);
        assert.match(service.said('observes')[0] ?? '', /no port, pushed by otlp; observes/);
        // of the primary too; threads belong to their process
        assert.equal(instances().length, program === 'cluster.js' ? 3 : 1);
        assert.deepEqual(service.said('CHX_'), []);
      }));
  }

  it('what a worker pushed that is killed stays, and counts once', () =>
    withReceiver(async () => {
      const service = start('cluster.js', { OTEL_METRICS_EXPORTER: 'otlp' });
      const [{ port, pid }] = (await service.ready(2)) as unknown as [{ port: number; pid: number }];
      await send(port, REQUESTS);
      await receiver.reaches(INNER, REQUESTS, X);
      await kill(pid);
      await send(port, REQUESTS);
      assert.equal(await receiver.reaches(INNER, REQUESTS * 2, X), REQUESTS * 2);
    }));

  it('by console goes to stderr, and nothing to stdout', () =>
    withReceiver(async () => {
      const service = start('service.js', { OTEL_METRICS_EXPORTER: 'console' });
      const [port] = (await portsOf(service, 1)) as [number];
      await send(port, 1);
      await until(
        async () => service.output().includes("path: '/x'"),
        () => service.output(),
      );
      const script = `require('http').createServer().listen(0, function () { setTimeout(() => this.close(), 300) })`;
      const env = environment({ ...INTERVAL, OTEL_METRICS_EXPORTER: 'console' });
      const { stdout, stderr } = spawnSync(nodeBinary(), [...PRELOAD, '-e', script], {
        cwd: ROOT,
        env,
        encoding: 'utf8',
      });
      assert.match(stderr, /name: 'A123010101_inner_metrics'/);
      assert.equal(stdout, '');
    }));

  it('does not keep a finished process, with a receiver that never answers or cannot be reached', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    const silentPort = await new Promise<number>((resolve) =>
      silent.once('listening', () => resolve((silent.address() as { port: number }).port)),
    );
    try {
      for (const port of [silentPort, await freePort()]) {
        const script = `require('http').createServer().listen(0, function () { setTimeout(() => {
          this.close(); process.once('exit', () => console.log(Date.now() - ended)); const ended = Date.now();
        }, 700) })`;
        const env = environment({
          ...INTERVAL,
          OTEL_METRICS_EXPORTER: 'otlp',
          OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
        });
        const run = spawnSync(nodeBinary(), [...PRELOAD, '-e', script], { cwd: ROOT, env, encoding: 'utf8' });
        assert.equal(run.status, 0, run.stderr);
        assert.ok(Number(run.stdout) < 500, `${run.stdout} ms ${run.stderr}`);
      }
    } finally {
      silent.close();
    }
  });

  it('reports variables that it cannot use, with what is accepted', () =>
    withReceiver(async () => {
      const service = start('service.js', {
        OTEL_METRICS_EXPORTER: 'otlp,promethues',
        OTEL_METRIC_EXPORT_INTERVAL: '150',
        OTEL_METRIC_EXPORT_TIMEOUT: 'soon',
        OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta',
        OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
        OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION: 'base2_exponential_bucket_histograms',
      });
      await portsOf(service, 1);
      await until(
        async () => service.said('CHX_VARIABLE_VALUE').length === 5 && receiver.pushes.length > 0,
        () => service.output(),
      );
      for (const text of [
        'got "promethues"; expected prometheus, otlp, console, none',
        'got "soon"; expected milliseconds',
        'got "delta"; expected cumulative',
        'got "grpc"; expected http/protobuf',
        'Did you mean base2_exponential_bucket_histogram?',
      ]) {
        assert.equal(service.said(text).length, 1, service.output());
      }
      assert.equal(receiver.pushes.at(-1)?.metrics.get(INNER)?.kind, 'histogram');
    }));
});

describe('an application that has the exporter of OTLP, and one that has not', () => {
  let workshop: Workshop;
  before(async () => {
    workshop = await openWorkshop();
  });
  after(() => workshop.remove());

  it('is told what to install, and is measured and scraped', () =>
    withReceiver(async () => {
      const application = await workshop.install('without-otlp');
      copyPrograms(PROGRAMS, application);
      const env = { OTEL_METRICS_EXPORTER: 'prometheus,otlp', OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...INTERVAL };
      const service = world.start({ cwd: application, args: [...PRELOAD, 'service.js'], env });
      const [port] = (await portsOf(service, 1)) as [number];
      await send(port, REQUESTS);
      assert.equal((await world.counted(REQUESTS)).counts(INNER)[0]?.count, REQUESTS);
      assert.match(
        service.said('CHX_EXPORTER_MISSING').join(),
        /npm install @opentelemetry\/exporter-metrics-otlp-proto@/,
      );
      assert.equal(receiver.requests, 0);
    }));

  it('is scraped without it also where nothing but OTLP is wanted', () =>
    withReceiver(async () => {
      const application = await workshop.install('otlp-alone');
      copyPrograms(PROGRAMS, application);
      const env = { OTEL_METRICS_EXPORTER: 'otlp', ...INTERVAL };
      const service = world.start({ cwd: application, args: [...PRELOAD, 'service.js'], env });
      const [port] = (await portsOf(service, 1)) as [number];
      await send(port, REQUESTS);
      assert.equal((await world.counted(REQUESTS)).counts(INNER)[0]?.count, REQUESTS);
      assert.equal(service.said('CHX_EXPORTER_MISSING').length, 1);
    }));

  it('pushes by its own copy, of the newest line too', () =>
    withReceiver(async () => {
      const application = await workshop.install('with-otlp', {
        '@opentelemetry/api': '1.10.0',
        '@opentelemetry/exporter-metrics-otlp-proto': '0.301.0',
      });
      copyPrograms(PROGRAMS, application);
      const env = { OTEL_METRICS_EXPORTER: 'prometheus,otlp', OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...INTERVAL };
      const command = await workshop.newerNode();
      const service = world.start({ command, cwd: application, args: [...PRELOAD, 'service.js'], env });
      const [port] = (await portsOf(service, 1)) as [number];
      await send(port, REQUESTS);
      assert.equal(await receiver.reaches(INNER, REQUESTS, X), REQUESTS);
    }));
});
