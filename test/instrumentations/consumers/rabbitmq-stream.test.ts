import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { connect as connectAmqp } from 'amqplib';
import { type Client, connect } from 'rabbitmq-stream-js-client';
import { type RabbitMq, startRabbitMq } from '../../support/brokers';
import { type ConsumerApp, outcome, outcomeIs, runConsumer } from '../../support/consumers';
import { until } from '../../support/waiting';

interface State {
  received: string[];
  unhandled: string[];
}

describe('messages of RabbitMQ streams', () => {
  let broker: RabbitMq;
  let client: Client;
  before(async () => {
    broker = await startRabbitMq({ hasStreams: true });
    const address = { hostname: '127.0.0.1', username: 'guest', password: 'guest', vhost: '/' };
    client = await connect({ ...address, port: broker.streamPort as number });
  });
  after(async () => {
    await client?.close();
    await broker?.stop();
  });

  async function publish(stream: string, actions: readonly string[]): Promise<void> {
    const publisher = await client.declarePublisher({ stream });
    for (const action of actions) await publisher.send(Buffer.from(action));
    await publisher.flush();
  }

  async function withConsumer(mode: string, stream: string, check: (app: ConsumerApp) => Promise<void>): Promise<void> {
    const app = await runConsumer('test/fixtures/apps/rabbitmq-stream.js', {
      env: { STREAM_PORT: `${broker.streamPort}`, STREAM: stream, STREAM_MODE: mode },
    });
    try {
      await check(app);
    } finally {
      await app.stop();
    }
  }

  it('count by the end of their handler, 1,000 of them once each', async () => {
    await client.createStream({ stream: 'ends' });
    const actions = Array.from({ length: 1_000 }, (_, index) => ['pass', 'value', 'pass', 'late'][index % 4] as string);
    await publish('ends', actions);
    await withConsumer('stream', 'ends', async (app) => {
      await outcomeIs(app, 'ends', { success: 1_000, failure: 0 }, 20_000);
      assert.deepEqual((await app.command<State>('state')).received, actions);
    });
  });

  for (const action of ['throw', 'reject']) {
    it(`a handler that ends by "${action}" is a failure, told to the application once`, async () => {
      const stream = `fails-${action}`;
      await client.createStream({ stream });
      await publish(stream, ['pass', action]);
      await withConsumer('stream', stream, async (app) => {
        await outcomeIs(app, stream, { success: 1, failure: 1 });
        assert.deepEqual((await app.command<State>('state')).unhandled, [action === 'throw' ? 'thrown' : 'rejected']);
      });
    });
  }

  it('those of a super stream have its name, and count once', async () => {
    // created as a client of today creates it by one command, which this broker does not have yet
    const connection = await connectAmqp(broker.url);
    const channel = await connection.createChannel();
    await channel.assertExchange('orders', 'direct', { arguments: { 'x-super-stream': true } });
    for (const index of [0, 1]) {
      const partition = `orders-${index}`;
      await channel.assertQueue(partition, { arguments: { 'x-queue-type': 'stream' } });
      await channel.bindQueue(partition, 'orders', `${index}`, { 'x-stream-partition-order': index });
    }
    await connection.close();
    await withConsumer('super-stream', 'orders', async (app) => {
      await publish('orders-0', ['pass', 'late']);
      await publish('orders-1', ['pass']);
      await until(async () => (await app.command<State>('state')).received.length === 3, 'all are received');
      await outcomeIs(app, 'orders', { success: 3, failure: 0 });
      const metrics = await app.metrics();
      for (const index of [0, 1]) {
        assert.deepEqual(outcome(metrics, `orders-${index}`), { success: 0, failure: 0 });
      }
    });
  });
});
