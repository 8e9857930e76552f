/** @platformatic/kafka, which is an ES module, against the cluster that librdkafka has for tests. */
import assert from 'node:assert/strict';
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Kafka, logLevel } from 'kafkajs';
import { startKafka } from '../../support/brokers';
import { type ConsumerApp, type Outcome, outcomeIs, runConsumer } from '../../support/consumers';
import { reportNotRun } from '../../support/debian';
import { installPackages } from '../../support/installed';
import { type KafkaRelay, startKafkaRelay } from '../../support/kafka-relay';
import { nodeOfLine, ownLine } from '../../support/node-versions';
import { FIXTURES, ROOT } from '../../support/paths';
import { until } from '../../support/waiting';

interface State {
  received: number;
  unhandled: string[];
}

const VERSION = '2.12.1';
/** The first line of Node that it runs on. */
const LINE = 24;
const MESSAGES = 300;
/** One message in so many is rejected by its handler. */
const FAILS_EVERY = 20;
const FAILURES = MESSAGES / FAILS_EVERY;
const HANDLED = { success: MESSAGES - FAILURES, failure: FAILURES };
const MODES: Record<string, Outcome> = {
  loop: { success: MESSAGES, failure: 0 },
  'loop-watched': { success: MESSAGES, failure: 0 },
  listener: HANDLED,
  listeners: HANDLED,
};

describe('messages of @platformatic/kafka', () => {
  let broker: Awaited<ReturnType<typeof startKafka>>;
  let relay: KafkaRelay;
  let kafka: Kafka;
  before(async () => {
    broker = await startKafka();
    relay = await startKafkaRelay(broker.port);
    kafka = new Kafka({ brokers: [`127.0.0.1:${broker.port}`], logLevel: logLevel.NOTHING });
  });
  after(async () => {
    relay?.stop();
    await broker?.stop();
  });

  async function publish(topic: string, actions: readonly string[]): Promise<void> {
    const producer = kafka.producer();
    await producer.connect();
    await producer.send({ topic, messages: actions.map((value) => ({ value, partition: 0 })) });
    await producer.disconnect();
  }

  async function withConsumer(
    test: Parameters<typeof reportNotRun>[0],
    mode: string,
    check: (app: ConsumerApp, topic: string) => Promise<void>,
  ): Promise<void> {
    const node = nodeOfLine(Math.max(LINE, ownLine));
    const installed = installPackages(`@platformatic/kafka@${VERSION}`);
    if ('missing' in installed || node === undefined) {
      return reportNotRun(test, 'missing' in installed ? installed.missing : `Node ${LINE} could not be installed`);
    }
    const program = join(installed.folder, 'program.mjs');
    copyFileSync(join(FIXTURES, 'apps/platformatic-kafka.mjs'), program);
    const topic = mode;
    const app = await runConsumer(program, {
      node,
      nodeArgs: ['-r', join(ROOT, 'dist/register.js')],
      env: { KAFKA_BROKER: `127.0.0.1:${relay.port}`, KAFKA_TOPIC: topic, KAFKA_MODE: mode },
    });
    try {
      await check(app, topic);
    } finally {
      await app.stop();
      rmSync(program, { force: true });
    }
  }

  for (const [mode, expected] of Object.entries(MODES)) {
    it(`${mode}: each message counts once`, async (test) => {
      const actions = Array.from({ length: MESSAGES }, (_, index) =>
        index % FAILS_EVERY === 0 ? 'reject' : (['pass', 'late'][index % 2] as string),
      );
      await publish(mode, actions);
      await withConsumer(test, mode, async (app, topic) => {
        await until(async () => (await app.command<State>('state')).received === MESSAGES, 'all are received', 30_000);
        await outcomeIs(app, topic, expected);
        const { unhandled } = await app.command<State>('state');
        assert.equal(unhandled.length, expected.failure, 'a rejection is told to the application once');
      });
    });
  }

  it('a loop that is left by an error counts its message as a failure', async (test) => {
    await publish('left', ['pass', 'pass', 'reject']);
    await withConsumer(test, 'left', async (app, topic) => {
      await outcomeIs(app, topic, { success: 2, failure: 1 });
      // the stream that is left reports its own end too
      const { unhandled } = await app.command<State>('state');
      assert.equal(unhandled.filter((message) => message === 'rejected').length, 1);
    });
  });
});
