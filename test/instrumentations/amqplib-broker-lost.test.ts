import { describe, it } from 'node:test';
import { connect } from 'amqplib';
import { startRabbitMq, until } from '../support/brokers';
import { type Outcome, outcome, runConsumer } from '../support/consumers';

describe('a RabbitMQ that is killed in mid-flight', () => {
  for (const client of ['manager', 'rascal']) {
    it(`loses no count and counts none twice, and ${client} reconnects as ever`, async () => {
      const broker = await startRabbitMq();
      try {
        const queue = 'work';
        const fill = async (...actions: readonly string[]) => {
          const connection = await connect(broker.url);
          const channel = await connection.createConfirmChannel();
          await channel.assertQueue(queue);
          for (const action of actions) channel.sendToQueue(queue, Buffer.from(action), { persistent: true });
          await channel.waitForConfirms();
          await connection.close();
        };
        await fill('hold', 'hold', 'hold', ...Array(2_000).fill('late'));
        const app = await runConsumer('test/fixtures/apps/amqplib.js', {
          env: {
            AMQP_URL: broker.url,
            AMQP_CLIENT: client,
            AMQP_QUEUE: queue,
            LISTEN_UNHANDLED: '1',
          },
        });
        try {
          await app.metricsWhen((metrics) => outcome(metrics, queue).success > 100);
          await broker.kill();
          await app.metricsWhen((metrics) => outcome(metrics, queue).failure >= 3);
          await broker.start();
          await fill(...Array(10).fill('late'));
          const answered = (counts: Outcome) => counts.success + counts.failure;
          let last = '';
          const isComplete = async () => {
            const { delivered } = await app.command<{ delivered: number }>('state');
            const counts = outcome(await app.metrics(), queue);
            last = JSON.stringify({ delivered, ...counts });
            return counts.success >= 2_010 && answered(counts) + 3 === delivered;
          };
          await until(isComplete, 'every delivery has its answer but the three that are held', 30_000).catch(
            (cause) => {
              throw new Error(`${last}\n${app.stderr()}`, { cause });
            },
          );
        } finally {
          await app.stop();
        }
      } finally {
        await broker.stop();
      }
    });
  }
});
