/** Clients of message brokers, queues of jobs and schedulers: by what each is found, and where its source is. */
import type { SourceRow } from './source-row';

export const CONSUMERS: readonly SourceRow[] = [
  {
    name: 'amqplib',
    load: () => (require('./consumers/amqplib') as typeof import('./consumers/amqplib')).createAmqplibInstrumentation,
    files: ['/lib/channel_model.js', '/lib/callback_model.js'],
    ports: [5672, 5671],
  },
  {
    name: 'rabbitmq-stream',
    load: () =>
      (require('./consumers/rabbitmq-stream') as typeof import('./consumers/rabbitmq-stream'))
        .createRabbitmqStreamInstrumentation,
    files: ['/rabbitmq-stream-js-client/dist/client.js'],
  },
  {
    name: 'kafkajs',
    load: () => (require('./consumers/kafkajs') as typeof import('./consumers/kafkajs')).createKafkajsInstrumentation,
    files: ['/kafkajs/src/index.js', '/kafka-javascript/lib/kafkajs/_consumer.js'],
    ports: [9092, 9093],
  },
  {
    name: 'platformatic-kafka',
    load: () =>
      (require('./consumers/platformatic-kafka') as typeof import('./consumers/platformatic-kafka'))
        .createPlatformaticKafkaInstrumentation,
    channel: { name: 'plt:kafka:instances', prototypeOf: prototypeOfMessagesStream },
    sharedPorts: [9092, 9093],
  },
  {
    name: 'bullmq',
    load: () => (require('./consumers/bullmq') as typeof import('./consumers/bullmq')).createBullmqInstrumentation,
    files: ['/dist/cjs/classes/worker.js'],
  },
  {
    name: 'bull',
    load: () => (require('./consumers/bull') as typeof import('./consumers/bull')).createBullInstrumentation,
    files: ['/bull/lib/queue.js'],
  },
  {
    name: 'mqtt',
    load: () => (require('./consumers/mqtt') as typeof import('./consumers/mqtt')).createMqttInstrumentation,
    files: ['/build/lib/client.js', '/build/src/lib/client.js'],
    ports: [1883, 8883],
  },
  {
    name: 'nats',
    load: () => (require('./consumers/nats') as typeof import('./consumers/nats')).createNatsInstrumentation,
    files: ['/lib/nats-base-client/nats.js', '/nats-core/lib/nats.js'],
    ports: [4222],
  },
  {
    name: 'sqs-consumer',
    load: () =>
      (require('./consumers/sqs-consumer') as typeof import('./consumers/sqs-consumer'))
        .createSqsConsumerInstrumentation,
    files: ['/dist/cjs/consumer.js'],
    esModules: [
      {
        name: 'sqs-consumer',
        path: '/sqs-consumer',
        contains: ['class Consumer', 'processMessageBatch'],
        locals: ['Consumer'],
        packages: ['sqs-consumer'],
      },
    ],
  },
  {
    name: 'rocketmq',
    load: () =>
      (require('./consumers/rocketmq') as typeof import('./consumers/rocketmq')).createRocketmqInstrumentation,
    files: ['/rocketmq-client-nodejs/dist/consumer/ConsumeTask.js'],
  },
  {
    name: 'node-cron',
    load: () =>
      (require('./consumers/jobs/node-cron') as typeof import('./consumers/jobs/node-cron'))
        .createNodeCronInstrumentation,
    files: ['/src/node-cron.js', '/tasks/inline-scheduled-task.js', '/node-cron/dist/_shared.cjs'],
    esModules: [
      {
        name: 'node-cron',
        path: '/node-cron',
        contains: ['class InlineScheduledTask'],
        locals: ['InlineScheduledTask'],
        packages: ['node-cron'],
      },
    ],
  },
  {
    name: 'croner',
    load: () =>
      (require('./consumers/jobs/croner') as typeof import('./consumers/jobs/croner')).createCronerInstrumentation,
    files: ['/dist/croner.cjs'],
    // minified: its texts stay
    esModules: [
      {
        name: 'croner',
        path: '/dist/croner.',
        contains: ['Cron: Invalid argument passed for optionsIn'],
        locals: ['Cron'],
        packages: ['croner'],
      },
    ],
  },
  {
    name: 'cron',
    load: () => (require('./consumers/jobs/cron') as typeof import('./consumers/jobs/cron')).createCronInstrumentation,
    files: ['/dist/job.js'],
  },
  {
    name: 'nestjs-schedule',
    load: () =>
      (require('./consumers/jobs/nestjs-schedule') as typeof import('./consumers/jobs/nestjs-schedule'))
        .createNestjsScheduleInstrumentation,
    files: ['/dist/schedule.explorer.js', '/schedule/dist/index.js'],
    esModules: [
      {
        name: 'nestjs-schedule',
        path: '/dist/schedule.explorer.js',
        contains: ['wrapFunctionInTryCatchBlocks'],
        locals: ['ScheduleExplorer'],
        packages: ['@nestjs/schedule'],
      },
    ],
  },
  {
    name: 'pg-boss',
    load: () => (require('./consumers/pg-boss') as typeof import('./consumers/pg-boss')).createPgBossInstrumentation,
    files: ['/src/manager.js', '/pg-boss/dist/index.js'],
    esModules: [
      {
        name: 'pg-boss',
        path: '/pg-boss/dist/index.js',
        contains: ['class PgBoss'],
        locals: ['PgBoss'],
        packages: ['pg-boss'],
      },
    ],
  },
  {
    name: 'agenda',
    load: () => (require('./consumers/agenda') as typeof import('./consumers/agenda')).createAgendaInstrumentation,
    files: ['/agenda/dist/index.js'],
    esModules: [
      { name: 'agenda', path: '/agenda/dist/Job.js', contains: ['class Job'], locals: ['Job'], packages: ['agenda'] },
    ],
  },
];

/** @platformatic/kafka: the stream that a consumer gives. */
function prototypeOfMessagesStream(message: unknown): object | undefined {
  const { type, instance } = message as { type?: unknown; instance?: object };
  return type === 'messages-stream' ? (Object.getPrototypeOf(instance) as object) : undefined;
}
