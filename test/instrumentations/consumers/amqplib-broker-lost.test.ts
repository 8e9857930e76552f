import { after, before, describe, it } from 'node:test';
import { connect } from 'amqplib';
import { type RabbitMq, startRabbitMq } from '../../support/brokers';
import { type ConsumerApp, outcome, runConsumer } from '../../support/consumers';
import { until } from '../../support/waiting';

interface State {
  readonly delivered: number;
}

/** Messages that the program never answers. */
const HELD = 3;

describe('a RabbitMQ that is killed in mid-flight', () => {
  let broker: RabbitMq;
  before(async () => {
    broker = await startRabbitMq();
  });
  after(() => broker?.stop());

  async function fill(queue: string, ...actions: readonly string[]): Promise<void> {
    const connection = await connect(broker.url);
    const channel = await connection.createConfirmChannel();
    await channel.assertQueue(queue);
    for (const action of actions) channel.sendToQueue(queue, Buffer.from(action), { persistent: true });
    await channel.waitForConfirms();
    await connection.close();
  }

  for (const client of ['manager', 'rascal']) {
    it(`loses no count and counts none twice, and ${client} reconnects as ever`, async () => {
      await fill(client, ...Array(HELD).fill('hold'), ...Array(2_000).fill('late'));
      const app = await runConsumer('test/fixtures/apps/amqplib.js', {
        env: { AMQP_URL: broker.url, AMQP_CLIENT: client, AMQP_QUEUE: client, LISTEN_UNHANDLED: '1' },
      });
      try {
        await countsBecome(app, client, 'some are answered', (counts) => counts.success > 100);
        await broker.kill();
        await countsBecome(app, client, 'every delivery is answered or given back', (counts) => {
          return counts.failure >= HELD && counts.success + counts.failure === counts.delivered;
        });
        await broker.start();
        await fill(client, ...Array(10).fill('late'));
        await countsBecome(app, client, 'every delivery has its answer but those that are held', (counts) => {
          return counts.success >= 2_010 && counts.success + counts.failure + HELD === counts.delivered;
        });
      } finally {
        await app.stop();
      }
    });
  }
});

/** Waits for a condition on what was counted of a queue and what the program itself saw; says both when it fails. */
async function countsBecome(
  app: ConsumerApp,
  queue: string,
  what: string,
  isThere: (counts: { delivered: number; success: number; failure: number }) => boolean,
): Promise<void> {
  let last = '';
  const look = async () => {
    const state = await app.command<State>('state');
    const counts = outcome(await app.metrics(), queue);
    last = JSON.stringify({ ...counts, ...state });
    return isThere({ ...counts, delivered: state.delivered });
  };
  await until(look, what, 120_000).catch((cause) => {
    throw new Error(`${last}\n${app.stderr()}`, { cause });
  });
}
