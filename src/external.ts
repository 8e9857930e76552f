/**
 * Packages that a bundler is to leave out of the bundle, by every name under which they are required: they are observed
 * when they are loaded from node_modules. For `external` of esbuild and rollup and `externals` of webpack.
 * @see docs/bundles.md
 */
const external: string[] = [
  'channel-exporter',
  // clients of message brokers
  '@confluentinc/kafka-javascript',
  '@nats-io/jetstream',
  '@nats-io/nats-core',
  '@nats-io/transport-node',
  'amqplib',
  'amqplib/callback_api',
  'bull',
  'bullmq',
  'kafkajs',
  'mqtt',
  'nats',
  'rabbitmq-stream-js-client',
  'rocketmq-client-nodejs',
  'sqs-consumer',
  // schedulers of jobs
  '@nestjs/schedule',
  'agenda',
  'cron',
  'croner',
  'node-cron',
  'pg-boss',
  // web frameworks whose routes are found by their files; Fastify and Next.js are observed in a bundle too
  '@hapi/hapi',
  'express',
  'h3',
  'hono',
  'koa',
  'router',
  // the application's own metrics are read from the one copy that is installed
  '@opentelemetry/api',
  '@prometheus-io/client',
  'prom-client',
];

export = external;
