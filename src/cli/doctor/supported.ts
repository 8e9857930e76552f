/**
 * Packages that are observed, with the versions that are. docs/frameworks.md and docs/consumers.md describe how; a test
 * holds them equal to this table.
 */

export type PackageKind = 'framework' | 'message client' | 'http client';

export interface SupportedPackage {
  readonly name: string;
  readonly kind: PackageKind;
  /** Of measurements, as in OTEL_NODE_DISABLED_INSTRUMENTATIONS. */
  readonly source: string;
  /** First version, and the first major version that is too new. */
  readonly from: readonly [major: number, minor: number];
  readonly below: number;
}

type Row = readonly [name: string, source: string, from: readonly [number, number], below: number];

const rows = (kind: PackageKind, list: readonly Row[]): SupportedPackage[] =>
  list.map(([name, source, from, below]) => ({ name, kind, source, from, below }));

export const SUPPORTED: readonly SupportedPackage[] = [
  ...rows('framework', [
    ['express', 'express', [4, 0], 6],
    ['router', 'express', [2, 0], 3],
    ['fastify', 'fastify', [4, 0], 6],
    ['koa', 'koa', [2, 0], 4],
    ['@koa/router', 'koa', [8, 0], Number.POSITIVE_INFINITY],
    ['koa-router', 'koa', [8, 0], Number.POSITIVE_INFINITY],
    ['@nestjs/core', 'http', [11, 0], 13],
    ['@hapi/hapi', 'hapi', [21, 0], 22],
    ['next', 'next', [14, 0], 17],
    ['hono', 'hono', [3, 11], 5],
    ['h3', 'h3', [1, 8], 3],
    ['@adonisjs/core', 'adonis', [6, 0], 8],
    ['@sveltejs/kit', 'sveltekit', [2, 0], 4],
    ['@react-router/express', 'react-router', [7, 0], 9],
    ['@react-router/node', 'react-router', [7, 0], 9],
    ['@react-router/serve', 'react-router', [7, 0], 9],
  ]),
  ...rows('message client', [
    ['amqplib', 'amqplib', [0, 10], 3],
    ['rabbitmq-stream-js-client', 'rabbitmq-stream', [1, 0], 2],
    ['kafkajs', 'kafkajs', [2, 0], 3],
    ['@confluentinc/kafka-javascript', 'kafkajs', [1, 0], 2],
    ['@platformatic/kafka', 'platformatic-kafka', [2, 0], 3],
    ['bullmq', 'bullmq', [5, 0], 7],
    ['bull', 'bull', [4, 0], 5],
    ['mqtt', 'mqtt', [5, 1], 6],
    ['nats', 'nats', [2, 8], 3],
    ['@nats-io/transport-node', 'nats', [3, 0], 4],
    ['@nats-io/jetstream', 'nats', [3, 0], 4],
    ['sqs-consumer', 'sqs-consumer', [11, 0], 16],
    ['rocketmq-client-nodejs', 'rocketmq', [1, 0], 2],
    ['pg-boss', 'pg-boss', [11, 0], 13],
    ['agenda', 'agenda', [6, 0], 7],
    ['node-cron', 'node-cron', [3, 0], 5],
    ['croner', 'croner', [9, 0], 12],
    ['cron', 'cron', [3, 0], 5],
    ['@nestjs/schedule', 'nestjs-schedule', [6, 0], 13],
  ]),
  ...rows('http client', [['undici', 'undici', [6, 0], 9]]),
];

/** Clients and frameworks in use that are not observed, with what to do. */
export const UNOBSERVED: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      'kafka-node',
      'node-rdkafka',
      'bee-queue',
      'stompit',
      'rhea',
      'node-schedule',
      'toad-scheduler',
      'bree',
      'graphile-worker',
      'celery-node',
    ].map((name) => [name, 'Measure its handlers by consume(topic, worker) (docs/consumers.md).']),
  ),
  '@aws-sdk/client-sqs':
    'What sqs-consumer receives by it is counted; measure others by consume(topic, worker) (docs/consumers.md).',
  ...Object.fromEntries(
    ['restify', 'polka', 'micro', 'find-my-way', 'koa-route', 'koa-tree-router'].map((name) => [
      name,
      'Its requests are counted under their concrete paths (docs/frameworks.md).',
    ]),
  ),
};

/** Whether a version is one that is observed. @param version such as `5.3.0` */
export function isSupported({ from: [major, minor], below }: SupportedPackage, version: string): boolean {
  const [foundMajor = 0, foundMinor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  return foundMajor < below && (foundMajor > major || (foundMajor === major && foundMinor >= minor));
}

/** Such as `4 to 5`, `5 from 5.1`, `8 or newer`. */
export function rangeText({ from: [major, minor], below }: SupportedPackage): string {
  const first = minor === 0 ? String(major) : `${major}.${minor}`;
  if (below === Number.POSITIVE_INFINITY) return `${first} or newer`;
  if (below - 1 > major) return `${first} to ${below - 1}`;
  return minor === 0 ? first : `${major} from ${first}`;
}
