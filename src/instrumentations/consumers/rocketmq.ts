/**
 * Messages of RocketMQ 5, as a push consumer of rocketmq-client-nodejs hands them to its listener: one call, one message.
 *
 * The listener's result is the answer: what is no success is delivered again. Messages that a SimpleConsumer receives are
 * not measured.
 */

import type { Instrumentation } from '../instrumentation';
import { ConsumerSource, followHandler, prototypeOf } from './delivery';

interface Listener {
  consume(...args: unknown[]): unknown;
}

type TaskClass = new (...args: unknown[]) => object;

const source = new ConsumerSource(
  'rocketmq',
  { '/rocketmq-client-nodejs/dist/consumer/ConsumeTask.js': patchExports },
  () => undefined,
);

export function createRocketmqInstrumentation(): Instrumentation {
  return source;
}

/** A task keeps its listener and its message to itself, and is made for each message: it is given another listener. */
function patchExports(exported: unknown): void {
  const exports = exported as { ConsumeTask?: unknown };
  const { ConsumeTask } = exports;
  if (!source.claims(prototypeOf(ConsumeTask), 'call')) return;
  exports.ConsumeTask = new Proxy(ConsumeTask as TaskClass, {
    construct(target, args: unknown[], newTarget) {
      const [client, listener, message, ...rest] = args;
      const observed = observedListener(listener as Listener, message as { readonly topic?: unknown });
      return Reflect.construct(target, [client, observed, message, ...rest], newTarget) as object;
    },
  });
}

function observedListener(listener: Listener, message: { readonly topic?: unknown }): Listener {
  return {
    consume(...args) {
      const run = () => listener.consume(...args);
      const delivery = source.deliver(String(message?.topic));
      if (delivery === undefined) return run();
      const onEnd = (result: unknown) =>
        source.guarded(() => (String(result) === 'SUCCESS' ? delivery.succeed() : delivery.fail()));
      return followHandler({ onEnd, onError: () => delivery.fail() }, run);
    },
  };
}
