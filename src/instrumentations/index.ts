/**
 * Every source of measurements. To add one, write its file and add a row.
 *
 * A source is loaded when it is enabled; one for a package that not every service has, when that package is.
 */
import { observes } from '../diagnostics/observed';
import { type WantedEsModule, watchWantedEsModules } from './es-modules';
import type { Instrumentation } from './instrumentation';
import { type InstanceChannel, whenFileLoaded } from './when-file-loaded';

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
  /** By which the package itself tells of what it makes, wherever its files are. */
  readonly channel?: InstanceChannel;
  /** Where servers of the package's protocol listen by default: connections there, without the package, are reported. */
  readonly ports?: readonly number[];
  /** Those of another row that are explained by this one's package. */
  readonly sharedPorts?: readonly number[];
  /** Observes what Node itself has, and no package. */
  readonly isOfNode?: true;
  /** Names of sources of which one has to be on: this one measures nothing by itself. */
  readonly needs?: readonly string[];
}

/** Sources that record the requests whose routes the frameworks report. */
const INBOUND = ['http', 'http2'];

const H3_1 = { contains: ['class H3Event', '.matchedRoute'], locals: ['H3Event'] };
const H3_2 = { contains: ['H3Core = class', '.matchedRoute'], locals: ['H3Core'] };
const NITRO_SCRIPT = /\/server\/index\.mjs$/;

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
    name: 'hono',
    needs: INBOUND,
    load: () => (require('./frameworks/hono') as typeof import('./frameworks/hono')).createHonoInstrumentation,
    files: ['/dist/cjs/hono-base.js'],
    esModules: [
      { name: 'hono', packages: ['hono'], path: '/dist/hono-base.js', contains: ['HonoBase'], locals: ['Hono'] },
      {
        name: 'hono',
        packages: ['hono'],
        path: '/dist/router/',
        contains: ['Router'],
        locals: ['SmartRouter', 'RegExpRouter', 'TrieRouter', 'LinearRouter', 'PatternRouter'],
      },
    ],
  },
  {
    name: 'h3',
    needs: INBOUND,
    load: () => (require('./frameworks/h3') as typeof import('./frameworks/h3')).createH3Instrumentation,
    files: ['h3/dist/index.cjs', 'h3/dist/_entries/node.mjs'],
    esModules: [
      { name: 'h3', packages: ['h3'], path: 'h3/dist/', ...H3_1 },
      { name: 'h3', packages: ['h3'], path: 'h3/dist/', ...H3_2 },
      // Nitro's output, of which h3 is a part
      { name: 'h3', packages: [], script: NITRO_SCRIPT, path: '/server/', ...H3_1 },
      { name: 'h3', packages: [], script: NITRO_SCRIPT, path: '/server/', ...H3_2 },
    ],
  },
  {
    name: 'adonis',
    needs: INBOUND,
    load: () => (require('./frameworks/adonis') as typeof import('./frameworks/adonis')).createAdonisInstrumentation,
    esModules: [
      {
        name: 'adonis',
        path: '/@adonisjs/http-server/build/',
        contains: ['createHttpContext', 'class'],
        locals: ['Server'],
        packages: ['@adonisjs/core', '@adonisjs/http-server'],
      },
    ],
  },
  {
    name: 'sveltekit',
    needs: INBOUND,
    load: () =>
      (require('./frameworks/sveltekit') as typeof import('./frameworks/sveltekit')).createSveltekitInstrumentation,
    // modules of what an application is built into, which has the framework in it
    esModules: ['app_template_contains_nonce', 'function set_hooks(', 'appPath:', 'app_path:'].map((text) => ({
      name: 'sveltekit',
      path: '/server/',
      contains: [text],
      locals: ['set_hooks', ...['options', 'manifest'].flatMap((name) => [name, `${name}$1`, `${name}$2`])],
      packages: ['@sveltejs/kit'],
      beside: ['handler.js', 'env.js', 'client'],
    })),
  },
  {
    name: 'react-router',
    needs: INBOUND,
    load: () =>
      (require('./frameworks/react-router') as typeof import('./frameworks/react-router'))
        .createReactRouterInstrumentation,
    files: ['express', 'node'].flatMap((name) =>
      ['js', 'mjs'].map((ending) => `/@react-router/${name}/dist/index.${ending}`),
    ),
    esModules: [
      {
        name: 'react-router',
        path: '/@react-router/express/dist/',
        contains: ['createRequestHandler'],
        locals: ['createRequestHandler'],
        packages: ['@react-router/express', '@react-router/serve'],
      },
      {
        name: 'react-router',
        path: '/@react-router/node/dist/',
        contains: ['createRequestListener'],
        locals: ['createRequestListener'],
        packages: ['@react-router/node'],
      },
    ],
  },
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
export function createSource(row: SourceRow): Instrumentation {
  const { name, load, files, esModules, channel, isOfNode } = row;
  if (isOfNode) observes(name);
  if (files === undefined && esModules === undefined && channel === undefined) return load()();
  const rules = new Set(esModules?.map((rule) => rule.name));
  const { ports = [], sharedPorts = [] } = row;
  return whenFileLoaded({ name, files: files ?? [], esModules: [...rules], channel, ports, sharedPorts }, () =>
    load()(),
  );
}

/** @platformatic/kafka: the stream that a consumer gives. */
function prototypeOfMessagesStream(message: unknown): object | undefined {
  const { type, instance } = message as { type?: unknown; instance?: object };
  return type === 'messages-stream' ? (Object.getPrototypeOf(instance) as object) : undefined;
}

/**
 * Has the loader show the ES modules of these rows' packages from now on, where the application has such packages.
 * @returns a function that ends it
 */
export function watchEsModulesOf(rows: readonly SourceRow[]): () => void {
  return watchWantedEsModules(rows.flatMap(({ esModules }) => esModules ?? []));
}
