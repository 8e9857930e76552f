import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Kafka, logLevel } from 'kafkajs';
import { startKafka } from '../../support/brokers';
import { outcomeIs, runConsumer } from '../../support/consumers';
import { reportNotRun } from '../../support/debian';
import { IS_FULL } from '../../support/effort';
import { installPackages } from '../../support/installed';
import { until } from '../../support/waiting';

const MESSAGES = 2_000;
/** One message in so many fails when it comes first. */
const FAILS_EVERY = 40;

interface State {
  succeeded: number;
  failed: number;
  messages: number;
}

describe('messages of kafkajs', () => {
  let broker: Awaited<ReturnType<typeof startKafka>>;
  let kafka: Kafka;
  before(async () => {
    broker = await startKafka();
    kafka = new Kafka({ brokers: [`127.0.0.1:${broker.port}`], logLevel: logLevel.NOTHING });
  });
  after(() => broker?.stop());

  async function publish(topic: string): Promise<void> {
    const producer = kafka.producer();
    await producer.connect();
    const actions = ['pass', 'value', 'pass'];
    const failures = ['throw', 'reject'];
    const messages = Array.from({ length: MESSAGES }, (_, index) => {
      const from = index % FAILS_EVERY === 0 ? failures : actions;
      return { value: from[Math.floor(Math.random() * from.length)] as string };
    });
    for (let start = 0; start < MESSAGES; start += 200) {
      await producer.send({ topic, messages: messages.slice(start, start + 200) });
    }
    await producer.disconnect();
  }

  async function committed(topic: string): Promise<number> {
    const admin = kafka.admin();
    await admin.connect();
    const [of] = await admin.fetchOffsets({ groupId: topic, topics: [topic] });
    await admin.disconnect();
    return (of?.partitions ?? []).reduce((sum, { offset }) => sum + Math.max(Number(offset), 0), 0);
  }

  for (const mode of ['eachMessage', 'eachBatch']) {
    it(`${mode} counts what its handler came to, and what is delivered again anew`, async () => {
      const topic = `topic-${mode}`;
      await publish(topic);
      const app = await runConsumer('test/fixtures/apps/kafkajs.js', {
        env: { KAFKA_BROKER: `127.0.0.1:${broker.port}`, KAFKA_TOPIC: topic, KAFKA_MODE: mode },
      });
      try {
        await until(async () => (await committed(topic)) === MESSAGES, 'every message is committed', 30_000);
        const state = await app.command<State>('state');
        assert.equal(state.failed, MESSAGES / FAILS_EVERY);
        if (mode === 'eachMessage') assert.ok(state.succeeded >= MESSAGES, 'the client may deliver one twice');
        await outcomeIs(app, topic, { success: state.succeeded, failure: state.failed });
      } finally {
        await app.stop();
      }
    });
  }

  // its native part would have to be compiled: no message is consumed by it here; it is big, and installed with TEST_FULL=1 alone
  if (IS_FULL) {
    it("the client of Confluent has its consumer's class where it is looked for", async (test) => {
      const installed = installPackages('@confluentinc/kafka-javascript@1.10.1');
      if ('missing' in installed) return reportNotRun(test, installed.missing);
      const module = join(installed.folder, 'node_modules/@confluentinc/kafka-javascript');
      const app = await runConsumer('test/fixtures/apps/confluent-kafka.js', { env: { KAFKA_MODULE: module } });
      try {
        await until(() => /observes .*\bkafkajs\b/.test(app.stderr()), 'the client is observed', 15_000);
      } finally {
        await app.stop();
      }
    });
  }
});
