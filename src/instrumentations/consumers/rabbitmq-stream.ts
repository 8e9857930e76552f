/**
 * Messages of RabbitMQ's streams, consumed through rabbitmq-stream-js-client.
 *
 * A stream knows no answer to a message: the handler's end decides. The offset that a consumer stores says from where it
 * will go on, nothing of success. The messages of a super stream have its name as their topic, whichever of its
 * partitions they come from.
 */

import type { Instrumentation } from '../instrumentation';
import { patchMethod } from '../patching/patch';
import { ConsumerSource, followHandler, handlerDecides, hasMethods } from './delivery';

type Handler = (this: unknown, message: unknown, ...rest: unknown[]) => unknown;

interface Client {
  declareConsumer(params: unknown, handler: unknown, superStream?: unknown, ...rest: unknown[]): unknown;
  declareSuperStreamConsumer(params: unknown, handler: unknown, ...rest: unknown[]): unknown;
}

/** Parameters of `declareConsumer` where a super stream names itself when it declares one for each partition. */
const NAMES_SUPER_STREAM = 3;

const source = new ConsumerSource(
  'rabbitmq-stream',
  { '/rabbitmq-stream-js-client/dist/client.js': patchFile },
  patchClient,
);

export function createRabbitmqStreamInstrumentation(): Instrumentation {
  return source;
}

function patchFile(exported: unknown): void {
  patchClient((exported as { Client?: { prototype?: object } }).Client?.prototype);
}

function patchClient(candidate: object | undefined): void {
  if (!source.claims(candidate, 'declareConsumer', 'declarePublisher', 'queryMetadata')) return;
  const prototype = candidate as Client;
  const namesSuperStream = prototype.declareConsumer.length >= NAMES_SUPER_STREAM;
  patchMethod(prototype, 'declareConsumer', (declare) => {
    return function (this: Client, params: unknown, handler: unknown, superStream, ...rest) {
      const observed = superStream === undefined ? observedHandler(handler, params, 'stream') : handler;
      return declare.call(this, params, observed, superStream, ...rest);
    };
  });
  // in earlier versions its partitions cannot be told from streams, and are measured as such
  if (!namesSuperStream || !hasMethods(prototype, 'declareSuperStreamConsumer')) return;
  patchMethod(prototype, 'declareSuperStreamConsumer', (declare) => {
    return function (this: Client, params: unknown, handler: unknown, ...rest) {
      return declare.call(this, params, observedHandler(handler, params, 'superStream'), ...rest);
    };
  });
}

/** From the moment when the client hands a message over, until its handler has ended. */
function observedHandler(handler: unknown, params: unknown, name: 'stream' | 'superStream'): unknown {
  if (typeof handler !== 'function') return handler;
  const topic = String((params as Record<typeof name, unknown> | undefined | null)?.[name] ?? '');
  return function (this: unknown, ...args: Parameters<Handler>) {
    const run = () => (handler as Handler).apply(this, args);
    const delivery = source.deliver(topic);
    return delivery === undefined ? run() : followHandler(handlerDecides(delivery), run);
  };
}
