/**
 * A function that a client calls for each message, or a scheduler at its times, whose end is the answer.
 *
 * Schedulers catch what a job throws, each in its own way, so that the function itself is observed and they stay as
 * they are. A run that a scheduler leaves out, as another is under way, is none; one that never ends is never counted.
 */
import { imitate } from '../patching/patch';
import { type ConsumerSource, followHandler, handlerDecides } from './delivery';

type Handler = (this: unknown, ...args: unknown[]) => unknown;

/** Functions whose calls count already, by whichever source: one scheduler may be built upon another. */
const counting = new WeakSet<object>();

/**
 * @param topicOf asked at each call
 * @returns a function to use in the handler's place; what is no function, or counts already, as it is
 */
export function observedHandler(source: ConsumerSource, handler: unknown, topicOf: () => string): unknown {
  if (typeof handler !== 'function' || counting.has(handler)) return handler;
  const observed: Handler = function (...args) {
    const run = () => (handler as Handler).apply(this, args);
    const delivery = source.deliver(topicOf());
    return delivery === undefined ? run() : followHandler(handlerDecides(delivery), run);
  };
  imitate(observed, handler);
  countsAlready(observed);
  return observed;
}

/** Says of a function that its calls count already, by another that it calls. */
export function countsAlready(handler: unknown): void {
  if (typeof handler === 'function') counting.add(handler);
}
