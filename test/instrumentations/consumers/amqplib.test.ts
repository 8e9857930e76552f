import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Channel, type ChannelModel, connect } from 'amqplib';
import { type RabbitMq, startRabbitMq } from '../../support/brokers';
import { type ConsumerApp, type Outcome, outcome, outcomeIs, runConsumer } from '../../support/consumers';
import { until } from '../../support/waiting';

const APP = 'test/fixtures/apps/amqplib.js';

interface State {
  delivered: number;
  cancelled: number;
  connected: number;
  failed: string[];
  unhandled: string[];
  queue: string;
}

/** What each answer of the program counts, and what it leaves at the broker. */
const ANSWERS: Record<string, Outcome & { readonly isDead?: boolean }> = {
  ack: { success: 1, failure: 0 },
  late: { success: 1, failure: 0 },
  async: { success: 1, failure: 0 },
  nack: { success: 0, failure: 1, isDead: true },
  reject: { success: 0, failure: 1, isDead: true },
  requeue: { success: 1, failure: 1 },
  'reject-requeue': { success: 1, failure: 1 },
};

const CLIENTS = [
  { name: 'amqplib 2, promises', client: 'promise', module: 'amqplib' },
  { name: 'amqplib 2, callbacks', client: 'callback', module: 'amqplib' },
  { name: 'amqplib 0.10, promises', client: 'promise', module: 'amqplib010' },
  { name: 'amqplib 0.10, callbacks', client: 'callback', module: 'amqplib010' },
  { name: 'amqp-connection-manager', client: 'manager', module: 'amqplib' },
  { name: 'rascal', client: 'rascal', module: 'amqplib' },
];
const MODELS = CLIENTS.slice(0, 4);

describe('messages of amqplib', () => {
  let broker: RabbitMq;
  let connection: ChannelModel;
  let channel: Channel;
  let queues = 0;

  before(async () => {
    broker = await startRabbitMq();
    connection = await connect(broker.url);
    channel = await connection.createChannel();
  });
  after(async () => {
    await connection?.close();
    await broker?.stop();
  });

  /** A queue of its own with another one for what is rejected. */
  async function createQueue(): Promise<string> {
    const queue = `work-${++queues}`;
    await channel.assertQueue(`${queue}-dead`);
    await channel.assertQueue(queue, { deadLetterExchange: '', deadLetterRoutingKey: `${queue}-dead` });
    return queue;
  }

  function publish(queue: string, ...actions: readonly string[]): void {
    for (const action of actions) channel.sendToQueue(queue, Buffer.from(action));
  }

  async function consumer(
    queue: string,
    { client, module }: { client: string; module: string },
    env: Record<string, string> = {},
  ): Promise<ConsumerApp> {
    return runConsumer(APP, {
      env: { AMQP_URL: broker.url, AMQP_CLIENT: client, AMQP_MODULE: module, AMQP_QUEUE: queue, ...env },
    });
  }

  async function depth(queue: string): Promise<number> {
    return (await channel.checkQueue(queue)).messageCount;
  }

  /** Runs one program with a queue of its own and stops it whatever happens. */
  async function withConsumer(
    model: { client: string; module: string },
    env: Record<string, string>,
    check: (app: ConsumerApp, queue: string) => Promise<void>,
  ): Promise<void> {
    const queue = await createQueue();
    const app = await consumer(queue, model, env);
    try {
      await check(app, queue);
    } finally {
      await app.stop();
    }
  }

  const delivered = (app: ConsumerApp, count: number) =>
    until(async () => (await app.command<State>('state')).delivered === count, `${count} deliveries`);

  for (const row of CLIENTS) {
    it(`every answer of ${row.name} counts once, a redelivery anew`, () =>
      withConsumer(row, {}, async (app, queue) => {
        const { actions, expected, dead } = randomActions(400);
        publish(queue, ...actions);
        await outcomeIs(app, queue, expected);
        await until(async () => (await depth(`${queue}-dead`)) === dead, 'every rejected message is a dead letter');
        assert.equal(await depth(queue), 0);
      }));
  }

  it('10,000 messages with random answers are what the broker says was acknowledged and returned', () =>
    withConsumer({ client: 'promise', module: 'amqplib' }, {}, async (app, queue) => {
      const before = await broker.counters();
      const { actions, expected, dead } = randomActions(10_000);
      publish(queue, ...actions);
      await outcomeIs(app, queue, expected, 30_000);
      let counted = before;
      await until(async () => {
        counted = await broker.counters();
        return counted.acknowledged - before.acknowledged === expected.success;
      }, 'the broker has taken every acknowledgement');
      const returned = counted.redelivered - before.redelivered;
      assert.equal(counted.delivered - before.delivered, expected.success + expected.failure);
      await until(async () => (await depth(`${queue}-dead`)) === dead, 'every rejected message is a dead letter');
      assert.equal(returned + dead, expected.failure);
    }));

  for (const row of MODELS) {
    describe(`${row.name}: several at once, late and never`, () => {
      const cases: { title: string; commands: string[]; expected: Outcome }[] = [
        { title: 'one acknowledgement up to a message', commands: ['ackUpTo'], expected: { success: 3, failure: 0 } },
        { title: 'one rejection up to a message', commands: ['nackUpTo'], expected: { success: 0, failure: 3 } },
        { title: 'ackAll', commands: ['ackAll'], expected: { success: 3, failure: 0 } },
        { title: 'nackAll', commands: ['nackAll'], expected: { success: 0, failure: 3 } },
        { title: 'a closed channel', commands: ['close'], expected: { success: 0, failure: 3 } },
        { title: 'a closed connection', commands: ['closeConnection'], expected: { success: 0, failure: 3 } },
        {
          title: 'an acknowledgement on a closed channel',
          commands: ['close', 'ackOnClosed'],
          expected: { success: 0, failure: 3 },
        },
        {
          title: 'a consumer that was cancelled before',
          commands: ['cancel', 'ackHeld'],
          expected: { success: 3, failure: 0 },
        },
        {
          title: 'a second acknowledgement, for which the broker closes the channel,',
          commands: ['ackTwice'],
          expected: { success: 1, failure: 2 },
        },
        {
          title: 'recover, after which they are delivered anew,',
          commands: ['recover', 'ackAll'],
          expected: { success: 3, failure: 3 },
        },
      ];
      let app: ConsumerApp;
      before(async () => {
        app = await consumer(await createQueue(), row);
      });
      after(() => app?.stop());

      for (const { title, commands, expected } of cases) {
        it(`${title} answers three messages`, async () => {
          const queue = await createQueue();
          await app.command(`open/${queue}`);
          publish(queue, 'hold', 'hold', 'hold');
          await delivered(app, 3);
          assert.deepEqual(outcome(await app.metrics(), queue), { success: 0, failure: 0 });
          for (const command of commands) {
            await app.command(command);
            if (command === 'recover') await delivered(app, 6);
          }
          await outcomeIs(app, queue, expected);
        });
      }
    });
  }

  it('a handler that throws closes the channel as ever: its message and the others on it are failures', () =>
    withConsumer({ client: 'promise', module: 'amqplib' }, {}, async (app, queue) => {
      publish(queue, 'hold', 'ack-throw', 'hold');
      await outcomeIs(app, queue, { success: 1, failure: 1 });
      const { failed } = await app.command<State>('state');
      assert.deepEqual(failed, ['after the answer']);
    }));

  it('a rejected promise is a failure at once, and its rejection is told to the application once', () =>
    withConsumer({ client: 'promise', module: 'amqplib' }, { LISTEN_UNHANDLED: '1' }, async (app, queue) => {
      publish(queue, 'reject-promise', 'reject-late', 'own-rejection', 'hold');
      await outcomeIs(app, queue, { success: 0, failure: 2 });
      const { unhandled } = await app.command<State>('state');
      assert.deepEqual(unhandled.sort(), ['rejected', 'rejected late']);
      await app.command('close');
      await outcomeIs(app, queue, { success: 0, failure: 4 });
    }));

  it('an unhandled rejection of a handler ends the process as without us', async () => {
    const ends = [];
    for (const nodeArgs of [['-r', 'channel-exporter/register'], []]) {
      const queue = await createQueue();
      const app = await runConsumer(APP, {
        env: { AMQP_URL: broker.url, AMQP_CLIENT: 'promise', AMQP_QUEUE: queue },
        nodeArgs,
      });
      publish(queue, 'reject-promise');
      const { code } = await app.exited();
      ends.push({ code, text: /Error: rejected/.test(app.stderr()) });
    }
    assert.deepEqual(ends, [
      { code: 1, text: true },
      { code: 1, text: true },
    ]);
  });

  for (const row of MODELS) {
    it(`without acknowledgement the end of the handler decides: ${row.name}`, () =>
      withConsumer(row, { AMQP_OPTIONS: '{"noAck":true}', LISTEN_UNHANDLED: '1' }, async (app, queue) => {
        publish(queue, 'return', 'resolve', 'own-rejection', 'reject-promise', 'reject-late', 'pending');
        await outcomeIs(app, queue, { success: 3, failure: 2 });
        assert.equal((await app.command<State>('state')).delivered, 6);
      }));
  }

  for (const row of [...MODELS, { name: 'amqp-connection-manager', client: 'manager', module: 'amqplib' }]) {
    it(`messages fetched by get are answered alike: ${row.name}`, () =>
      withConsumer(row, { AMQP_FETCH: '1' }, async (app, queue) => {
        const { actions, expected, dead } = randomActions(200);
        publish(queue, ...actions);
        await until(async () => (await depth(queue)) === 200, 'the messages are in the queue');
        await app.command('getMany');
        // what was returned to the queue comes again
        await until(async () => {
          await app.command('getMany');
          const { success, failure } = outcome(await app.metrics(), queue);
          return success + failure === expected.success + expected.failure;
        }, 'every message is answered');
        assert.deepEqual(outcome(await app.metrics(), queue), expected);
        await until(async () => (await depth(`${queue}-dead`)) === dead, 'every rejected message is a dead letter');
        assert.equal(await app.command('get'), false, 'an empty queue gives no message');
        await outcomeIs(app, queue, expected);
      }));

    it(`what get has given and nobody has answered fails with the channel: ${row.name}`, () =>
      withConsumer(row, { AMQP_FETCH: '1' }, async (app, queue) => {
        publish(queue, 'hold', 'hold', 'hold', 'hold');
        await until(async () => (await depth(queue)) === 4, 'the messages are in the queue');
        for (let count = 0; count < 3; count++) assert.equal(await app.command('get'), true);
        assert.deepEqual(outcome(await app.metrics(), queue), { success: 0, failure: 0 });
        await app.command('ackUpTo');
        await outcomeIs(app, queue, { success: 3, failure: 0 });
        await app.command('get');
        await app.command('close');
        await outcomeIs(app, queue, { success: 3, failure: 1 });
      }));

    it(`a message fetched without acknowledgement is a success at once: ${row.name}`, () =>
      withConsumer(row, { AMQP_FETCH: '1', AMQP_OPTIONS: '{"noAck":true}' }, async (app, queue) => {
        publish(queue, 'return', 'pending');
        await until(async () => (await depth(queue)) === 2, 'the messages are in the queue');
        await app.command('getMany');
        await outcomeIs(app, queue, { success: 2, failure: 0 });
        await app.command('close');
        await outcomeIs(app, queue, { success: 2, failure: 0 });
      }));
  }

  it('a consumer that the broker cancels is no message', () =>
    withConsumer({ client: 'promise', module: 'amqplib' }, {}, async (app, queue) => {
      publish(queue, 'ack');
      await outcomeIs(app, queue, { success: 1, failure: 0 });
      await channel.deleteQueue(queue);
      await until(async () => (await app.command<State>('state')).cancelled === 1, 'the consumer is cancelled');
      assert.deepEqual(outcome(await app.metrics(), queue), { success: 1, failure: 0 });
    }));

  it('an ES module and two versions beside each other are measured alike', async () => {
    const queues = [await createQueue(), await createQueue()];
    for (const queue of queues) publish(queue, 'ack', 'ack');
    const app = await runConsumer('test/fixtures/apps/amqplib-esm.mjs', {
      env: { AMQP_URL: broker.url, AMQP_QUEUES: queues.join(' ') },
    });
    try {
      for (const queue of queues) await outcomeIs(app, queue, { success: 2, failure: 0 });
    } finally {
      await app.stop();
    }
  });

  it('queues that the server has named share one topic', async () => {
    const app = await consumer('', { client: 'promise', module: 'amqplib' });
    try {
      const { queue } = await app.command<State>('state');
      assert.match(queue, /^amq\.gen-/);
      publish(queue, 'ack', 'nack');
      await outcomeIs(app, '(server-named)', { success: 1, failure: 1 });
    } finally {
      await app.stop();
    }
  });
});

/** @returns random answers and what they add up to */
function randomActions(count: number): { actions: string[]; expected: Outcome; dead: number } {
  const names = Object.keys(ANSWERS);
  const actions = Array.from({ length: count }, () => names[Math.floor(Math.random() * names.length)] as string);
  const expected = { success: 0, failure: 0 };
  let dead = 0;
  for (const action of actions) {
    const { success = 0, failure = 0, isDead = false } = ANSWERS[action] ?? {};
    expected.success += success;
    expected.failure += failure;
    if (isDead) dead++;
  }
  return { actions, expected, dead };
}
