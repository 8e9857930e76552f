/** metricProducer(): our families in the readers of an application's own SDK, each measurement once per service. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { environment, INNER, nodeBinary, SYSCODE } from '../../support/app';
import { openReceiver, type Receiver } from '../../support/otlp';
import { copyPrograms, openWorkshop, type Workshop } from '../../support/packed';
import { FIXTURES, ROOT } from '../../support/paths';
import { openWorld, PRELOAD, PROGRAMS, send, until, type World } from '../../support/service';

const OWN_SDK = join(FIXTURES, 'otlp/own-sdk.cjs');
const REQUESTS = 30;
const BOUNDARIES = [100, 200, 500, 800, 1000, 1500, 2000, 2500, 3000, 4000, 5000, 6000, 8000];

let receiver: Receiver;
let world: World;

const withReceiver = async (use: () => Promise<void>) => {
  receiver = await openReceiver();
  world = await openWorld();
  try {
    await use();
  } finally {
    await world.end();
    await receiver.end();
  }
};

/** That the last push has all requests in one series, as the scrape has them. */
function assertInner(requests: number): void {
  const push = receiver.pushes.findLast(({ metrics }) => metrics.has(INNER));
  const inner = push?.metrics.get(INNER);
  assert.ok(inner);
  const { points, ...family } = inner;
  assert.deepEqual(family, {
    name: INNER,
    description: 'Duration of inbound HTTP requests, from the request line to the response, in milliseconds.',
    unit: '',
    kind: 'histogram',
    scope: 'channel-exporter',
  });
  const [{ labels, start, time, value, sum, buckets, boundaries }] = points as [(typeof points)[0]];
  assert.deepEqual(labels, {
    appid: 'A123',
    application: SYSCODE,
    f_code: 'T',
    path: '/x',
    http_status: '200',
    code: '0',
    method_code: '',
  });
  assert.equal(value, requests);
  assert.deepEqual(boundaries, BOUNDARIES);
  assert.equal(
    buckets?.reduce((total, each) => total + each, 0),
    requests,
  );
  assert.ok((sum ?? 0) > 0);
  assert.ok(start < time, 'the first measurement of a series is after its start');
}

describe('metricProducer() in a reader of the application', () => {
  it('gives every request once, of one process', () =>
    withReceiver(async () => {
      const service = world.start({
        args: [...PRELOAD, '-r', OWN_SDK, `${PROGRAMS}/service.js`],
        env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_METRICS_EXPORTER: 'prometheus' },
      });
      const port = (await service.ready(1))[0]?.port as number;
      for (const round of [1, 2]) {
        await send(port, REQUESTS);
        await receiver.reaches(INNER, REQUESTS * round, { path: '/x' });
      }
      assertInner(REQUESTS * 2);
      const metrics = await world.counted(REQUESTS * 2);
      const families = [...metrics.types.keys()];
      const last = receiver.pushes.at(-1);
      assert.deepEqual(
        [...(last?.metrics.keys() ?? [])],
        ['shop.processes', ...families],
        'the families of the scrape, beside what the application measures',
      );
      assert.equal(last?.metrics.get('channel_exporter_collection_seconds')?.kind, 'gauge');
      assert.equal(last?.metrics.get('channel_exporter_errors_total')?.kind, 'counter');
      assert.equal(last?.resource['service.name'], 'shop');
      assert.deepEqual(service.said('CHX_'), []);
    }));

  it('gives them in the hub of a cluster alone, with the last ones before it ends', () =>
    withReceiver(async () => {
      const service = world.start({
        args: [...PRELOAD, '-r', OWN_SDK, `${PROGRAMS}/cluster.js`],
        env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, WORKERS: '2' },
      });
      const port = (await service.ready(2))[0]?.port as number;
      await send(port, REQUESTS);
      await receiver.reaches('shop.processes', 3);
      assert.equal(await receiver.reaches(INNER, REQUESTS, { path: '/x' }), REQUESTS);
      await send(port, REQUESTS);
      service.child.kill('SIGTERM');
      await until(
        async () => service.child.exitCode !== null,
        () => service.output(),
      );
      assert.equal(receiver.total(INNER, { path: '/x' }), REQUESTS * 2);
      assertInner(REQUESTS * 2);
      const withOurs = receiver.pushes.filter(({ metrics }) => metrics.has(INNER));
      assert.deepEqual(
        [...new Set(withOurs.map(({ resource }) => resource['service.instance.id']))],
        [String(service.child.pid)],
      );
    }));

  it('produces nothing while no exporter runs, and what the next one measures', async () => {
    const script = join(FIXTURES, 'otlp/restarts.cjs');
    const { stdout, stderr } = await promisify(execFile)(nodeBinary(), [script], { env: environment(), cwd: ROOT });
    const measured = (count: number) => ({ [INNER]: [count], orders_total: [count] });
    assert.deepEqual(JSON.parse(stdout), [{}, measured(2), {}, measured(1), {}], stderr);
  });
});

describe('metricProducer() in a reader of the newest SDK', () => {
  let workshop: Workshop;
  before(async () => {
    workshop = await openWorkshop();
  });
  after(() => workshop.remove());

  it('gives every request once', () =>
    withReceiver(async () => {
      const application = await workshop.install('newest-sdk', {
        '@opentelemetry/api': '1.10.0',
        '@opentelemetry/exporter-metrics-otlp-proto': '0.301.0',
        '@opentelemetry/resources': '3.1.1',
        '@opentelemetry/sdk-metrics': '3.1.1',
      });
      copyPrograms(join(FIXTURES, 'otlp'), application);
      cpSync(join(PROGRAMS, 'service.js'), join(application, 'service.js'));
      const service = world.start({
        command: await workshop.newerNode(),
        cwd: application,
        args: [...PRELOAD, '-r', './own-sdk.cjs', 'service.js'],
        env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
      });
      const port = (await service.ready(1))[0]?.port as number;
      await send(port, REQUESTS);
      await receiver.reaches(INNER, REQUESTS, { path: '/x' });
      assertInner(REQUESTS);
      assert.equal(receiver.total('shop.processes'), 1);
    }));
});
