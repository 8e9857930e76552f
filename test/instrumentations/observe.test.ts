/**
 * Clients in bundles, each with a real broker: the bundle stands outside the project, and the client is one file with the
 * program and with a copy of this package, beside the one that is preloaded.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import * as amqplib from 'amqplib';
import * as callbackApi from 'amqplib/callback_api';
import * as bullmq from 'bullmq';
import * as bullmq5 from 'bullmq5';
import * as hono from 'hono';
import * as kafkajs from 'kafkajs';
import * as mqtt from 'mqtt';
import * as nats from 'nats';
import * as oldH3 from 'old-h3';
import external from '../../src/external';
import { type ObservableModule, observe } from '../../src/instrumentations/observe';
import { INNER, runApp } from '../support/app';
import { type RabbitMq, startKafka, startMosquitto, startNats, startRabbitMq, startRedis } from '../support/brokers';
import { type Bundles, openBundles } from '../support/bundle';
import { CONSUMER, outcomeIs, runConsumer } from '../support/consumers';
import { FIXTURES, ROOT } from '../support/paths';

/** Modules as their own types describe them are accepted; Koa has none here. */
const TYPED: readonly ObservableModule[] = [amqplib, callbackApi, bullmq, bullmq5, hono, kafkajs, mqtt, nats, oldH3];

const ANSWERS = ['ack', 'ack', 'nack', 'ack', 'nack'];
const OUTCOME = { success: 3, failure: 2 };

describe('clients that are part of a bundle', () => {
  let bundles: Bundles;
  before(() => {
    bundles = openBundles();
  });
  after(() => bundles?.remove());

  /** @param program below test/fixtures */
  const bundle = (program: string, bundler: 'esbuild' | 'webpack' = 'esbuild', minify = true) =>
    bundles.makeFrom(bundler, join(FIXTURES, program), { minify, external: [] });

  describe('amqplib', () => {
    let broker: RabbitMq;
    let connection: Awaited<ReturnType<typeof amqplib.connect>>;
    let file: string;
    let queues = 0;
    before(async () => {
      broker = await startRabbitMq();
      connection = await amqplib.connect(broker.url);
      file = await bundle('bundles/amqplib.js');
    });
    after(async () => {
      await connection?.close();
      await broker?.stop();
    });

    async function isCounted(
      mode: string,
      expected = OUTCOME,
      { observed = 'after', bundled = file, nodeArgs = ['-r', 'channel-exporter/register'] } = {},
    ): Promise<void> {
      const queue = `queue-${++queues}`;
      const channel = await connection.createChannel();
      await channel.assertQueue(queue);
      for (const answer of ANSWERS) channel.sendToQueue(queue, Buffer.from(answer));
      const env = { AMQP_URL: broker.url, AMQP_QUEUE: queue, AMQP_MODE: mode, OBSERVE: observed };
      const app = await runApp(bundled, { env, nodeArgs });
      try {
        if (expected.success > 0) await outcomeIs(app, queue, expected);
        else {
          await channel.close();
          const { delivered } = await broker.counters();
          assert.ok(delivered >= ANSWERS.length, 'the messages have been delivered');
          assert.deepEqual((await app.metrics()).counts(CONSUMER), []);
        }
      } finally {
        await app.stop();
      }
    }

    for (const mode of [
      'promises',
      'confirms',
      'recovery',
      'callbacks',
      'callback confirms',
      'older promises',
      'older callbacks',
    ]) {
      it(`is measured when it has been handed in: ${mode}`, () => isCounted(mode));
    }

    it('is not measured when it has not', () =>
      isCounted('promises', { success: 0, failure: 0 }, { observed: 'never' }));

    it('is measured when it was handed in before start()', () =>
      isCounted('promises', OUTCOME, { observed: 'before', nodeArgs: [] }));

    it('is measured in a bundle of webpack', async () =>
      isCounted('promises', OUTCOME, { bundled: await bundle('bundles/amqplib.js', 'webpack') }));

    for (const bundler of ['esbuild', 'webpack'] as const) {
      it(`is measured without it where ${bundler} leaves out what channel-exporter/external names`, async () => {
        linkPackages(bundles.folder, external);
        const bundled = await bundles.makeFrom(bundler, join(FIXTURES, 'bundles/amqplib.js'), {
          minify: true,
          external,
        });
        await isCounted('promises', OUTCOME, { observed: 'never', bundled });
        await isCounted('callbacks', OUTCOME, { observed: 'never', bundled });
      });
    }

    it('counts once when it is handed in although it is loaded from node_modules', () =>
      isCounted('promises', OUTCOME, { bundled: join(FIXTURES, 'bundles/amqplib.js') }));
  });

  it('kafkajs is measured', async () => {
    const broker = await startKafka();
    const kafka = new kafkajs.Kafka({ brokers: [`127.0.0.1:${broker.port}`], logLevel: kafkajs.logLevel.NOTHING });
    const producer = kafka.producer();
    await producer.connect();
    await producer.send({ topic: 'jobs', messages: ['pass', 'throw', 'pass'].map((value) => ({ value })) });
    await producer.disconnect();
    const app = await runConsumer(await bundle('apps/kafkajs.js'), {
      env: { KAFKA_BROKER: `127.0.0.1:${broker.port}`, KAFKA_TOPIC: 'jobs', KAFKA_MODE: 'eachMessage', OBSERVE: '1' },
    });
    try {
      await outcomeIs(app, 'jobs', { success: 3, failure: 1 }, 30_000);
    } finally {
      await app.stop();
      await broker.stop();
    }
  });

  it('two versions of bullmq are measured side by side', async () => {
    const broker = await startRedis();
    const connection = { host: '127.0.0.1', port: broker.port, maxRetriesPerRequest: null };
    const queues = [new bullmq.Queue('six', { connection }), new bullmq5.Queue('five', { connection })];
    const app = await runApp(await bundle('bundles/bullmq.js', 'esbuild', false), {
      env: { REDIS_PORT: `${broker.port}` },
    });
    try {
      for (const queue of queues) await queue.addBulk(['pass', 'throw', 'pass'].map((name) => ({ name, data: {} })));
      for (const queue of queues) await outcomeIs(app, queue.name, { success: 2, failure: 1 });
    } finally {
      await app.stop();
      for (const queue of queues) await queue.close();
      await broker.stop();
    }
  });

  it('mqtt is measured with each quality of service', async () => {
    const broker = await startMosquitto();
    const publisher = await mqtt.connectAsync({ port: broker.port, host: '127.0.0.1' });
    const filters = ['zero/+/#', 'one/+', 'two/#'];
    const app = await runConsumer(await bundle('apps/mqtt.js'), {
      env: { MQTT_PORT: `${broker.port}`, MQTT_FILTERS: filters.join(' '), OBSERVE: '1' },
    });
    try {
      const actions = ['pass', 'late', 'slow', 'reject', 'refuse'];
      for (const [qos, topic] of (['zero/a/b', 'one/a', 'two/a'] as const).entries()) {
        for (const action of actions) await publisher.publishAsync(topic, action, { qos: qos as 0 | 1 | 2 });
      }
      // only a message of QoS 1 is refused before it is handed over; one of QoS 2 is not measured then
      await outcomeIs(app, 'zero/+/#', { success: 4, failure: 1 });
      await outcomeIs(app, 'one/+', { success: 3, failure: 2 });
      await outcomeIs(app, 'two/#', { success: 3, failure: 1 });
    } finally {
      await app.stop();
      await publisher.endAsync(true);
      await broker.stop();
    }
  });

  describe('nats', () => {
    let broker: Awaited<ReturnType<typeof startNats>>;
    let connection: Awaited<ReturnType<typeof nats.connect>>;
    let file: string;
    before(async () => {
      broker = await startNats();
      connection = await nats.connect({ port: broker.port });
      file = await bundle('apps/nats.js');
    });
    after(async () => {
      await connection?.close();
      await broker?.stop();
    });

    const consumer = (mode: string, subject: string) =>
      runConsumer(file, {
        env: { NATS_PORT: `${broker.port}`, NATS_MODE: mode, NATS_SUBJECT: subject, OBSERVE: '1' },
      });

    for (const mode of ['callback', 'iterator']) {
      it(`the core's ${mode} is measured`, async () => {
        const app = await consumer(mode, `${mode}.*`);
        try {
          for (const action of ['pass', 'late', 'throw']) connection.publish(`${mode}.job`, action);
          const isCaught = mode === 'iterator';
          await outcomeIs(app, `${mode}.*`, isCaught ? { success: 3, failure: 0 } : { success: 2, failure: 1 });
        } finally {
          await app.stop();
        }
      });
    }

    for (const mode of ['consume-callback', 'consume-iterator', 'push']) {
      it(`JetStream's ${mode} is measured`, async () => {
        const manager = await connection.jetstreamManager();
        const stream = `STREAM-${mode}`;
        await manager.streams.add({ name: stream, subjects: [`${stream}.>`] });
        const app = await consumer(mode, `${stream}.job`);
        try {
          for (const action of ['ack', 'late', 'confirmed', 'nak', 'term', 'hold', 'ack']) {
            await connection.jetstream().publish(`${stream}.job`, action);
          }
          await outcomeIs(app, stream, { success: 5, failure: 2 });
          await app.command('close');
          await outcomeIs(app, stream, { success: 5, failure: 3 });
        } finally {
          await app.stop();
        }
      });
    }
  });

  it('koa reports its routes', async () => {
    const app = await runApp(await bundle('bundles/koa.js'));
    try {
      await (await fetch(`http://127.0.0.1:${app.port}/api/users/7`)).text();
      const metrics = await app.metricsWhen((seen) => seen.counts(INNER).length > 0);
      assert.equal(metrics.counts(INNER)[0]?.labels.path, '/api/users/:id');
    } finally {
      await app.stop();
    }
  });
});

/** Puts packages beside a bundle, as an application has them. */
function linkPackages(folder: string, names: readonly string[]): void {
  for (const name of names) {
    const installed = name === 'channel-exporter' ? ROOT : join(ROOT, 'node_modules', name);
    const link = join(folder, 'node_modules', name);
    if (existsSync(link) || !existsSync(installed)) continue;
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(installed, link);
  }
}

describe('a module that is handed in', () => {
  it('is given back, or stood for by an object with the same exports', () => {
    for (const module of TYPED) {
      const observed = observe(module);
      assert.deepEqual(Object.keys(observed).sort(), Object.keys(module).sort());
      assert.equal(observe(module), observed, 'the same each time');
      assert.equal(observe(observed), observed);
    }
  });
});

describe('what is handed in and is none of the known packages', () => {
  it('is given back as it is, and logged once', async () => {
    const app = await runApp('test/fixtures/bundles/unknown.js', { nodeArgs: [] });
    try {
      assert.equal(app.port, 12, 'each is given back, before and after the start');
      assert.equal(app.stderr().match(/CHX_CLIENT_UNKNOWN/g)?.length, 1, app.stderr());
    } finally {
      await app.stop();
    }
  });
});
