import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { connectAsync, type MqttClient } from 'mqtt';
import { type Broker, startMosquitto } from '../../../support/brokers';
import { type ConsumerApp, type Outcome, outcomeIs, runConsumer } from '../../../support/consumers';
import { until } from '../../../support/waiting';

interface State {
  received: number;
  unhandled: string[];
  reconnected: number;
  twice: number;
}

/** One subscription for each quality of service. */
const FILTERS = ['zero/+/#', 'one/+', '$share/group/two/#'];
const TOPICS = ['zero/a/b/c', 'one/a', 'two/a/b'];
const MESSAGES = 2_000;

const ANSWERS: Record<string, Outcome> = {
  pass: { success: 1, failure: 0 },
  late: { success: 1, failure: 0 },
  slow: { success: 1, failure: 0 },
  reject: { success: 0, failure: 1 },
};

describe('messages of MQTT', () => {
  let broker: Broker;
  let publisher: MqttClient;
  before(async () => {
    broker = await startMosquitto();
    publisher = await connectAsync({ port: broker.port, host: '127.0.0.1' });
    publisher.on('error', () => undefined);
  });
  after(async () => {
    await publisher?.endAsync(true);
    await broker?.stop();
  });

  async function withConsumer(check: (app: ConsumerApp) => Promise<void>): Promise<void> {
    const app = await runConsumer('test/fixtures/apps/mqtt.js', {
      env: { MQTT_PORT: `${broker.port}`, MQTT_FILTERS: FILTERS.join(' ') },
    });
    try {
      await check(app);
    } finally {
      await app.stop();
    }
  }

  it('each message counts once under its subscription, with each quality of service', () =>
    withConsumer(async (app) => {
      const names = Object.keys(ANSWERS);
      const expected = FILTERS.map(() => ({ success: 0, failure: 0 }));
      let rejections = 0;
      for (let index = 0; index < MESSAGES; index++) {
        const qos = (index % FILTERS.length) as 0 | 1 | 2;
        const action = names[Math.floor(Math.random() * names.length)] as string;
        const sum = expected[qos] as { success: number; failure: number };
        sum.success += ANSWERS[action]?.success ?? 0;
        sum.failure += ANSWERS[action]?.failure ?? 0;
        rejections += ANSWERS[action]?.failure ?? 0;
        await publisher.publishAsync(TOPICS[qos] as string, action, { qos });
      }
      for (const [qos, filter] of FILTERS.entries()) await outcomeIs(app, filter, expected[qos] as Outcome);
      const state = await app.command<State>('state');
      assert.deepEqual([state.received, state.twice], [MESSAGES, 1]);
      assert.equal(state.unhandled.length, rejections, 'each rejection is told to the application once');
    }));

  it('a message that the application refuses is a failure', () =>
    withConsumer(async (app) => {
      await publisher.publishAsync('one/a', 'refuse', { qos: 1 });
      await publisher.publishAsync('one/a', 'pass', { qos: 1 });
      await outcomeIs(app, 'one/+', { success: 1, failure: 1 });
      assert.equal((await app.command<State>('state')).received, 1);
    }));

  it('a broker that is lost before the acknowledgement: a failure, and a new message when it comes again', () =>
    withConsumer(async (app) => {
      await publisher.publishAsync('one/a', 'hang', { qos: 1 });
      await until(async () => (await app.command<State>('state')).received === 1, 'the message is delivered');
      await outcomeIs(app, 'one/+', { success: 0, failure: 0 });
      await broker.kill();
      await outcomeIs(app, 'one/+', { success: 0, failure: 1 });
      await broker.start();
      await until(async () => (await app.command<State>('state')).reconnected === 2, 'the client reconnects');
      await until(() => publisher.connected, 'the publisher reconnects');
      await publisher.publishAsync('one/a', 'pass', { qos: 1 });
      await outcomeIs(app, 'one/+', { success: 1, failure: 1 });
    }));
});
