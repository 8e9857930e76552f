/**
 * Messages consumed through kafkajs 2, and through the KafkaJS-shaped interface of @confluentinc/kafka-javascript.
 *
 * Kafka knows no answer to a single message: `eachMessage` or `eachBatch` decides by its end. What has failed is
 * delivered anew by the client, and is a new message then. Committed offsets say nothing of success.
 */

import type { Instrumentation } from '../instrumentation';
import { patchMethod } from '../patching/patch';
import { ConsumerSource, followHandler, handlerDecides, hasMethods } from './delivery';

type Handler = (this: unknown, payload: unknown, ...rest: unknown[]) => unknown;
type Run = (this: unknown, config?: unknown, ...rest: unknown[]) => unknown;

interface RunConfig {
  eachMessage?: unknown;
  eachBatch?: unknown;
}

const source = new ConsumerSource(
  'kafkajs',
  {
    '/kafkajs/src/index.js': (exported) => patchKafka((exported as { prototype?: object }).prototype),
    '/kafka-javascript/lib/kafkajs/_consumer.js': patchConsumerClass,
  },
  patchKafka,
);

export function createKafkajsInstrumentation(): Instrumentation {
  return source;
}

/** kafkajs makes each consumer an object of its own, with no prototype in common. */
function patchKafka(prototype: object | undefined): void {
  if (!source.claims(prototype, 'consumer', 'producer', 'admin')) return;
  patchMethod(prototype as { consumer: Run }, 'consumer', (create) => {
    return function (this: unknown, ...args) {
      const consumer = create.apply(this, args);
      source.guarded(() => {
        if (hasMethods(consumer, 'run')) patchMethod(consumer as { run: Run }, 'run', observedRun);
      });
      return consumer;
    };
  });
}

function patchConsumerClass(exported: unknown): void {
  const prototype = (exported as { Consumer?: { prototype?: { run: Run } } }).Consumer?.prototype;
  if (!source.claims(prototype, 'run', 'subscribe')) return;
  patchMethod(prototype, 'run', observedRun);
}

function observedRun(run: Run): Run {
  return function (this: unknown, config, ...rest) {
    return run.call(this, observedConfig(config), ...rest);
  };
}

/** The application's own object stays as it is; the client reads a copy, own and inherited properties alike. */
function observedConfig(config: unknown): unknown {
  if (typeof config !== 'object' || config === null) return config;
  const { eachMessage, eachBatch } = config as RunConfig;
  const copy: RunConfig = Object.assign(Object.create(Object.getPrototypeOf(config)), config);
  if (typeof eachMessage === 'function') copy.eachMessage = observedHandler(eachMessage as Handler, topicOfMessage);
  if (typeof eachBatch === 'function') copy.eachBatch = observedHandler(eachBatch as Handler, topicOfBatch);
  return copy;
}

function topicOfMessage(payload: unknown): string {
  return String((payload as { topic?: unknown } | undefined)?.topic ?? '');
}

function topicOfBatch(payload: unknown): string {
  return topicOfMessage((payload as { batch?: unknown } | undefined)?.batch);
}

/** From the moment when the client hands a message or a batch over, until its handler has ended. */
function observedHandler(handler: Handler, topicOf: (payload: unknown) => string): Handler {
  return function (this: unknown, payload, ...rest) {
    const run = () => handler.call(this, payload, ...rest);
    const delivery = source.deliver(topicOf(payload));
    return delivery === undefined ? run() : followHandler(handlerDecides(delivery), run);
  };
}
