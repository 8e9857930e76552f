/**
 * `consume(topic, worker)`: measures messages by the function that handles them, for clients that have no source here.
 * What counts as success is the same as in the Python package.
 */
import { types } from 'node:util';
import { sharedState } from '../../shared-state';
import { Delivery, followHandler, type HandlerAnswer } from './delivery';

// biome-ignore lint/suspicious/noExplicitAny: any function is a worker, and stays what it is
type Worker = (this: any, ...args: any[]) => unknown;

type Thenable = { then: (...args: unknown[]) => unknown };

/**
 * Wraps a function that handles one message, so that each call counts as one consumed message.
 *
 * undefined or 0, returned or as the value of a promise, is success, and so is a promise that cannot be followed; any
 * other value, an exception and a rejection are failures. Result, exception, `this`, name, length and properties are those of the worker. While no
 * exporter runs, nothing is measured. Not for handlers of clients that have a source: their messages would count twice.
 * @param topic queue or topic, for the label `topic`
 */
export function consume<Function extends Worker>(topic: string, worker: Function): Function {
  return new Proxy(worker, {
    apply(target, receiver, args) {
      const run = () => Reflect.apply(target, receiver, args);
      const recorder = sharedState().running?.recorder;
      if (recorder === undefined) return run();
      const delivery = new Delivery(recorder, String(topic));
      const answer: HandlerAnswer = {
        onEnd: (value) => (value === undefined || value === 0 ? delivery.succeed() : delivery.fail()),
        onError: () => delivery.fail(),
      };
      return followHandler(answer, run, followThenable);
    },
  });
}

/**
 * Follows what is awaited like a promise but is none, such as a query that runs when it is awaited: at the moment when
 * the caller does so, and not before.
 * @returns whether it is such a thing
 */
function followThenable(result: unknown, answer: HandlerAnswer): boolean {
  if (types.isPromise(result) || !isThenable(result) || !Object.isExtensible(result)) return false;
  const { then } = result;
  Object.defineProperty(result, 'then', {
    value: function followedThen(this: unknown, onFulfilled: unknown, onRejected: unknown, ...rest: unknown[]) {
      const fulfilled = (value: unknown, ...more: unknown[]) => {
        answer.onEnd?.(value);
        return typeof onFulfilled === 'function' ? onFulfilled(value, ...more) : value;
      };
      const rejected = (error: unknown) => {
        answer.onError();
        if (typeof onRejected === 'function') return onRejected(error);
        throw error;
      };
      return then.call(this, fulfilled, rejected, ...rest);
    },
    writable: true,
    configurable: true,
    enumerable: false,
  });
  return true;
}

function isThenable(value: unknown): value is Thenable {
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function';
  return isObject && typeof (value as Partial<Thenable>).then === 'function';
}
