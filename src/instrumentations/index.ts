/**
 * Every source of measurements. To add one, write its file and add a row.
 *
 * A source is loaded when it is enabled; one for a package that not every service has, when that package is.
 */
import type { Instrumentation } from './instrumentation';
import { whenFileLoaded } from './when-file-loaded';

export interface SourceRow {
  /** As in OTEL_NODE_ENABLED_INSTRUMENTATIONS; several sources may share one. */
  readonly name: string;
  /** Loads the source's code. */
  readonly load: () => () => Instrumentation;
  /**
   * Ends of paths of files, one for each way in which the package is laid out: the source is loaded with the first.
   * Those that it patches itself may be others.
   */
  readonly files?: readonly string[];
}

export const SOURCES: readonly SourceRow[] = [
  {
    name: 'http',
    load: () => (require('./http-inbound') as typeof import('./http-inbound')).createInboundInstrumentation,
  },
  {
    name: 'http',
    load: () => (require('./http-outbound') as typeof import('./http-outbound')).createOutboundInstrumentation,
  },
  { name: 'undici', load: () => (require('./undici') as typeof import('./undici')).createUndiciInstrumentation },
  // node:http2 comes with them: a builtin that an ES module imports passes no hook by which one could wait for it
  {
    name: 'http2',
    load: () => (require('./http2-inbound') as typeof import('./http2-inbound')).createHttp2InboundInstrumentation,
  },
  {
    name: 'http2',
    load: () => (require('./http2-outbound') as typeof import('./http2-outbound')).createHttp2OutboundInstrumentation,
  },
  // three that are found without a file too, in bundles: express, fastify and next
  { name: 'express', load: () => (require('./express') as typeof import('./express')).createExpressInstrumentation },
  { name: 'fastify', load: () => (require('./fastify') as typeof import('./fastify')).createFastifyInstrumentation },
  {
    name: 'koa',
    load: () => (require('./koa') as typeof import('./koa')).createKoaInstrumentation,
    files: ['/lib/context.js'],
  },
  {
    name: 'hapi',
    load: () => (require('./hapi') as typeof import('./hapi')).createHapiInstrumentation,
    files: ['/lib/request.js'],
  },
  { name: 'next', load: () => (require('./next') as typeof import('./next')).createNextInstrumentation },
  {
    name: 'amqplib',
    load: () => (require('./amqplib') as typeof import('./amqplib')).createAmqplibInstrumentation,
    files: ['/lib/channel_model.js', '/lib/callback_model.js'],
  },
  {
    name: 'kafkajs',
    load: () => (require('./kafkajs') as typeof import('./kafkajs')).createKafkajsInstrumentation,
    files: ['/kafkajs/src/index.js', '/kafka-javascript/lib/kafkajs/_consumer.js'],
  },
  {
    name: 'bullmq',
    load: () => (require('./bullmq') as typeof import('./bullmq')).createBullmqInstrumentation,
    files: ['/dist/cjs/classes/worker.js'],
  },
  {
    name: 'mqtt',
    load: () => (require('./mqtt') as typeof import('./mqtt')).createMqttInstrumentation,
    files: ['/build/lib/client.js', '/build/src/lib/client.js'],
  },
  {
    name: 'nats',
    load: () => (require('./nats') as typeof import('./nats')).createNatsInstrumentation,
    files: ['/lib/nats-base-client/nats.js'],
  },
  {
    name: 'monitor',
    load: () => (require('./monitored-calls') as typeof import('./monitored-calls')).createMonitorInstrumentation,
  },
];

/** The source of a row, which loads its code now or with its package. */
export function createSource({ name, load, files }: SourceRow): Instrumentation {
  return files === undefined ? load()() : whenFileLoaded(name, files, () => load()());
}
