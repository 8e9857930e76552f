/**
 * Every source of measurements. To add one, write its file and add a row.
 *
 * A source is loaded when it is enabled; one for a package that not every service has, when that package is.
 */
import { observes } from '../diagnostics/observed';
import { type WantedEsModule, watchWantedEsModules } from './es-modules';
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
  /** Those of its files that are ES modules, which the application's loader has to show. */
  readonly esModules?: readonly WantedEsModule[];
  /** Where servers of the package's protocol listen by default: connections there, without the package, are reported. */
  readonly ports?: readonly number[];
  /** Observes what Node itself has, and no package. */
  readonly isOfNode?: true;
  /** Names of sources of which one has to be on: this one measures nothing by itself. */
  readonly needs?: readonly string[];
}

/** Sources that record the requests whose routes the frameworks report. */
const INBOUND = ['http', 'http2'];

export const SOURCES: readonly SourceRow[] = [
  {
    name: 'http',
    isOfNode: true,
    load: () => (require('./inbound/http1') as typeof import('./inbound/http1')).createInboundInstrumentation,
  },
  {
    name: 'http',
    isOfNode: true,
    load: () => (require('./outbound/http1') as typeof import('./outbound/http1')).createOutboundInstrumentation,
  },
  {
    name: 'undici',
    isOfNode: true,
    load: () => (require('./outbound/undici') as typeof import('./outbound/undici')).createUndiciInstrumentation,
  },
  // node:http2 comes with them: a builtin that an ES module imports passes no hook by which one could wait for it
  {
    name: 'http2',
    isOfNode: true,
    load: () => (require('./inbound/http2') as typeof import('./inbound/http2')).createHttp2InboundInstrumentation,
  },
  {
    name: 'http2',
    isOfNode: true,
    load: () => (require('./outbound/http2') as typeof import('./outbound/http2')).createHttp2OutboundInstrumentation,
  },
  // three that are found without a file too, in bundles: express, fastify and next
  {
    name: 'express',
    needs: INBOUND,
    load: () => (require('./frameworks/express') as typeof import('./frameworks/express')).createExpressInstrumentation,
  },
  {
    name: 'fastify',
    needs: INBOUND,
    load: () => (require('./frameworks/fastify') as typeof import('./frameworks/fastify')).createFastifyInstrumentation,
  },
  {
    name: 'koa',
    needs: INBOUND,
    load: () => (require('./frameworks/koa') as typeof import('./frameworks/koa')).createKoaInstrumentation,
    files: ['/lib/context.js', '/@eggjs/koa/dist/commonjs/context.js'],
    esModules: [
      {
        ...{ name: 'koa', path: '/@eggjs/koa/dist/esm/context.js', contains: ['class Context'], locals: ['Context'] },
        packages: ['egg', '@eggjs/koa'],
      },
    ],
  },
  {
    name: 'hapi',
    needs: INBOUND,
    load: () => (require('./frameworks/hapi') as typeof import('./frameworks/hapi')).createHapiInstrumentation,
    files: ['/lib/request.js'],
  },
  {
    name: 'next',
    needs: INBOUND,
    load: () => (require('./frameworks/next') as typeof import('./frameworks/next')).createNextInstrumentation,
  },
  {
    name: 'amqplib',
    load: () => (require('./consumers/amqplib') as typeof import('./consumers/amqplib')).createAmqplibInstrumentation,
    files: ['/lib/channel_model.js', '/lib/callback_model.js'],
    ports: [5672, 5671],
  },
  {
    name: 'kafkajs',
    load: () => (require('./consumers/kafkajs') as typeof import('./consumers/kafkajs')).createKafkajsInstrumentation,
    files: ['/kafkajs/src/index.js', '/kafka-javascript/lib/kafkajs/_consumer.js'],
    ports: [9092, 9093],
  },
  {
    name: 'bullmq',
    load: () => (require('./consumers/bullmq') as typeof import('./consumers/bullmq')).createBullmqInstrumentation,
    files: ['/dist/cjs/classes/worker.js'],
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
    files: ['/lib/nats-base-client/nats.js'],
    ports: [4222],
  },
  {
    name: 'monitor',
    load: () =>
      (require('./functions/monitored-calls') as typeof import('./functions/monitored-calls'))
        .createMonitorInstrumentation,
  },
];

/**
 * The rows that measure something, of those that are switched on: a framework's routes have no use without the
 * requests that they belong to.
 */
export function effectiveSources(isEnabled: (name: string) => boolean): SourceRow[] {
  return SOURCES.filter(({ name, needs }) => isEnabled(name) && (needs === undefined || needs.some(isEnabled)));
}

/** The source of a row, which loads its code now or with its package. */
export function createSource({ name, load, files, esModules, ports, isOfNode }: SourceRow): Instrumentation {
  if (isOfNode) observes(name);
  if (files === undefined && esModules === undefined) return load()();
  const rules = new Set(esModules?.map((rule) => rule.name));
  return whenFileLoaded({ name, files: files ?? [], esModules: [...rules], ports: ports ?? [] }, () => load()());
}

/**
 * Has the loader show the ES modules of these rows' packages from now on, where the application has such packages.
 * @returns a function that ends it
 */
export function watchEsModulesOf(rows: readonly SourceRow[]): () => void {
  return watchWantedEsModules(rows.flatMap(({ esModules }) => esModules ?? []));
}
