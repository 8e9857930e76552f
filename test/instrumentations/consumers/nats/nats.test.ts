import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { connect, type JetStreamManager, type NatsConnection } from 'nats';
import { type Broker, startNats } from '../../../support/brokers';
import { type ConsumerApp, type Outcome, outcome, outcomeIs, runConsumer } from '../../../support/consumers';
import { until } from '../../../support/waiting';

const DISK_MS = 1_000;

interface State {
  received: number;
  unhandled: string[];
  reconnects: number;
}

const CLIENTS = [
  { name: 'nats 2', script: 'nats.js', messages: 1_000, modes: [] },
  { name: '@nats-io 3', script: 'nats3.js', messages: 300, modes: ['push-callback'] },
];
const CORE: Record<string, Outcome> = {
  pass: { success: 1, failure: 0 },
  late: { success: 1, failure: 0 },
  throw: { success: 0, failure: 1 },
};
const JETSTREAM: Record<string, Outcome> = {
  ack: { success: 1, failure: 0 },
  late: { success: 1, failure: 0 },
  working: { success: 1, failure: 0 },
  twice: { success: 1, failure: 0 },
  confirmed: { success: 1, failure: 0 },
  nak: { success: 1, failure: 1 },
  term: { success: 0, failure: 1 },
};

for (const { name, script, messages, modes } of CLIENTS)
  describe(`messages of ${name}`, () => {
    let broker: Broker;
    let connection: NatsConnection;
    let manager: JetStreamManager;
    let streams = 0;
    before(async () => {
      broker = await startNats();
      connection = await connect({ port: broker.port, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
      manager = await connection.jetstreamManager();
    });
    after(async () => {
      await connection?.close();
      await broker?.stop();
    });

    async function withConsumer(
      mode: string,
      subject: string,
      check: (app: ConsumerApp) => Promise<void>,
      program = script,
    ): Promise<void> {
      const app = await runConsumer(`test/fixtures/apps/${program}`, {
        env: { NATS_PORT: `${broker.port}`, NATS_MODE: mode, NATS_SUBJECT: subject },
      });
      try {
        await check(app);
      } finally {
        await app.stop();
      }
    }

    const received = (app: ConsumerApp, count: number) =>
      until(async () => (await app.command<State>('state')).received === count, `${count} messages are received`);

    async function createStream(): Promise<string> {
      const name = `STREAM-${++streams}`;
      await manager.streams.add({ name, subjects: [`${name}.>`] });
      return name;
    }

    async function publishAll(stream: string, actions: readonly string[]): Promise<void> {
      for (let start = 0; start < actions.length; start += 200) {
        const batch = actions.slice(start, start + 200);
        await Promise.all(batch.map((action) => connection.jetstream().publish(`${stream}.job`, action)));
      }
    }

    for (const mode of ['callback', 'iterator']) {
      it(`the core's ${mode} counts by the end of what handles the message`, () =>
        withConsumer(mode, `core-${mode}.*`, async (app) => {
          const { actions, expected } = randomActions(CORE, mode === 'callback' ? messages : 300);
          // a loop that catches its own errors has handled every message
          const inLoop = { success: actions.length, failure: 0 };
          for (const action of actions) connection.publish(`core-${mode}.job`, action);
          await outcomeIs(app, `core-${mode}.*`, mode === 'callback' ? expected : inLoop);
          const { unhandled } = await app.command<State>('state');
          assert.equal(unhandled.length, mode === 'callback' ? expected.failure : 0);
        }));
    }

    it('a loop that is left by an error counts its message as a failure', () =>
      withConsumer('left', 'left', async (app) => {
        for (const action of ['pass', 'pass', 'throw']) connection.publish('left', action);
        await outcomeIs(app, 'left', { success: 2, failure: 1 });
        assert.deepEqual((await app.command<State>('state')).unhandled, ['thrown']);
      }));

    it('the reply to a request is no message', () =>
      withConsumer('callback', 'own', async (app) => {
        const subscription = connection.subscribe('own', {
          callback: (_error, message) => void message.respond('reply'),
        });
        assert.equal(await app.command('request'), 'reply');
        await outcomeIs(app, 'own', { success: 1, failure: 0 });
        const { text } = await app.metrics();
        assert.doesNotMatch(text, /topic="_INBOX/);
        subscription.unsubscribe();
      }));

    for (const mode of ['consume-callback', 'consume-iterator', 'fetch', 'push', ...modes]) {
      it(`JetStream, ${mode}: every answer counts once, as the server has it`, async () => {
        const stream = await createStream();
        await withConsumer(mode, `${stream}.job`, async (app) => {
          const { actions, expected } = randomActions(JETSTREAM, messages);
          await publishAll(stream, actions);
          await outcomeIs(app, stream, expected, 20_000);
          const info = await manager.consumers.info(stream, 'worker');
          assert.deepEqual([info.num_ack_pending, info.num_pending], [0, 0]);
          assert.equal(info.delivered.consumer_seq, expected.success + expected.failure);
          assert.equal(info.ack_floor.stream_seq, messages);
        });
      });
    }

    it('JetStream: an ordered consumer, which acknowledges nothing, is not measured', async () => {
      const stream = await createStream();
      await withConsumer('ordered', `${stream}.job`, async (app) => {
        await publishAll(stream, ['ack', 'ack', 'ack']);
        await received(app, 3);
        await app.command('close');
        assert.deepEqual(outcome(await app.metrics(), stream), { success: 0, failure: 0 });
      });
    });

    it('JetStream: a handler that rejects is a failure, told to the application once', async () => {
      const stream = await createStream();
      await withConsumer('consume-callback', `${stream}.job`, async (app) => {
        await publishAll(stream, ['throw', 'throw']);
        await outcomeIs(app, stream, { success: 2, failure: 2 });
        assert.deepEqual((await app.command<State>('state')).unhandled, ['thrown', 'thrown']);
      });
    });

    it('JetStream: one acknowledgement answers all before it where the consumer says so', async () => {
      const stream = await createStream();
      await withConsumer('all-up-to', `${stream}.job`, async (app) => {
        await publishAll(stream, ['hold', 'hold', 'hold']);
        await received(app, 3);
        assert.deepEqual(outcome(await app.metrics(), stream), { success: 0, failure: 0 });
        await app.command('ackLast');
        await outcomeIs(app, stream, { success: 3, failure: 0 });
      });
    });

    it('JetStream: a message that comes again before its answer has failed, and is a new one', async () => {
      const stream = await createStream();
      await withConsumer('ack-wait', `${stream}.job`, async (app) => {
        await publishAll(stream, ['hold']);
        await received(app, 2);
        await app.command('ackHeld');
        await outcomeIs(app, stream, { success: 1, failure: 1 });
      });
    });

    it('JetStream: what has no answer when the connection is closed has failed', async () => {
      const stream = await createStream();
      await withConsumer('consume-iterator', `${stream}.job`, async (app) => {
        await publishAll(stream, ['hold', 'hold', 'ack']);
        await outcomeIs(app, stream, { success: 1, failure: 0 });
        await received(app, 3);
        await app.command('close');
        await outcomeIs(app, stream, { success: 1, failure: 2 });
      });
    });

    it('JetStream: a server that is killed: answers are sent after the client has come back, each counts once', async () => {
      const stream = await createStream();
      await withConsumer('consume-callback', `${stream}.job`, async (app) => {
        await publishAll(stream, ['hold', 'hold', 'hold']);
        await received(app, 3);
        // the server writes to its disk a moment later what it has delivered, and delivers the rest again when it is back
        await new Promise((resolve) => setTimeout(resolve, DISK_MS));
        await broker.kill();
        await broker.start();
        await until(async () => (await app.command<State>('state')).reconnects === 1, 'the client has come back');
        await app.command('ackHeld');
        await outcomeIs(app, stream, { success: 3, failure: 0 });
        // a request that was made while the connection was lost is not answered
        const pending = async () => (await manager.consumers.info(stream, 'worker')).num_ack_pending;
        const acknowledged = async () => (await pending().catch(() => undefined)) === 0;
        await until(acknowledged, 'the server has the answers');
      });
    });

    if (script !== 'nats3.js') return;
    for (const mode of ['iterator', 'consume-callback']) {
      it(`an ES module is measured alike: ${mode}`, async () => {
        const stream = await createStream();
        const topic = mode === 'iterator' ? 'module.job' : stream;
        const subject = mode === 'iterator' ? topic : `${stream}.job`;
        const check = async (app: ConsumerApp) => {
          for (const action of ['ack', 'ack', 'ack']) connection.publish(subject, action);
          await outcomeIs(app, topic, { success: 3, failure: 0 });
        };
        await withConsumer(mode, subject, check, 'nats3-esm.mjs');
      });
    }
  });

function randomActions(answers: Record<string, Outcome>, count: number): { actions: string[]; expected: Outcome } {
  const names = Object.keys(answers);
  const actions = Array.from({ length: count }, () => names[Math.floor(Math.random() * names.length)] as string);
  const expected = { success: 0, failure: 0 };
  for (const action of actions) {
    expected.success += answers[action]?.success ?? 0;
    expected.failure += answers[action]?.failure ?? 0;
  }
  return { actions, expected };
}
