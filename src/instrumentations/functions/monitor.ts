/**
 * `monitor()`: functions of the application that it wants to have measured by name. Their calls are taken by
 * monitored-calls.ts while the exporter runs.
 *
 * The wrapper is a Proxy, so that name, length, properties, prototype and `new` are the function's own. It measures
 * through the state that copies of the package share: a function may be wrapped before `start()`, and by another copy
 * than the one that runs.
 */

import { types } from 'node:util';
import { observes } from '../../diagnostics/observed';
import { type ObservedCall, sharedState } from '../../shared-state';
import { followPromise } from '../patching/follow-promise';

/** Any function; its arguments and result stay its own. */
export type MonitoredFunction = (...args: never[]) => unknown;

/** What `@monitor(name)` is: a standard decorator of methods, and one for TypeScript's `experimentalDecorators`. */
export interface MonitorDecorator {
  <F extends MonitoredFunction>(method: F, context: { readonly kind: 'method' }): F;
  <F extends MonitoredFunction>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<F>,
  ): TypedPropertyDescriptor<F>;
}

/**
 * Measures every call of a function, under the label `url`.
 * @param name value of the label, unless the function handles a request whose route is known
 * @returns a function to use in its place: the same result, exception, `this`, name, length and properties. A native
 *   promise comes back as one derived from it, where that can stand for it. It does not throw; anything but a function
 *   comes back as it is
 * @see docs/functions.md
 */
export function monitor<F extends MonitoredFunction>(name: string, fn: F): F;
/** @returns a decorator that does the same with a method */
export function monitor(name: string): MonitorDecorator;
export function monitor(name: string, ...rest: [fn?: unknown]): unknown {
  if (rest.length > 0) return monitored(name, rest[0]);
  return (target: unknown, _keyOrContext: unknown, descriptor?: PropertyDescriptor) =>
    descriptor === undefined
      ? monitored(name, target)
      : { ...descriptor, ...('value' in descriptor ? { value: monitored(name, descriptor.value) } : {}) };
}

function monitored(name: string, fn: unknown): unknown {
  if (typeof fn !== 'function') return fn;
  sharedState().hasMonitored = true;
  observes('monitor');
  return new Proxy(fn as (...args: unknown[]) => unknown, {
    apply(target, self, args: unknown[]) {
      const call = sharedState().calls?.begin(name, args);
      return call === undefined ? Reflect.apply(target, self, args) : callObserved(target, self, call);
    },
  });
}

function callObserved(fn: (...args: unknown[]) => unknown, self: unknown, call: ObservedCall): unknown {
  let result: unknown;
  let hasReturned = false;
  // not caught and thrown again: an uncaught exception is printed with the line that threw last
  try {
    result = Reflect.apply(fn, self, call.args);
    hasReturned = true;
  } finally {
    if (!hasReturned) call.ended(true);
  }
  const followed = types.isPromise(result)
    ? followPromise(
        result,
        () => call.ended(false),
        () => call.ended(true),
      )
    : undefined;
  if (followed !== undefined) return followed;
  // a thenable that is no promise is left alone: asking a lazy one for its value makes it work
  call.returned();
  return result;
}
