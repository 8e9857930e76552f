/** Sees what a function of somebody else gives, however it gives it. */
import { types } from 'node:util';
import { followPromise } from './follow-promise';

type Callback = (this: unknown, error: unknown, value: unknown, ...rest: unknown[]) => unknown;

/**
 * @param onResult gets what the function returns, what its promise is fulfilled with, and what it hands to a callback
 *   given as its last argument, before the caller does; must not throw
 * @returns a function to use in its place
 */
export function observeResult(
  // biome-ignore lint/suspicious/noExplicitAny: the methods of other people's objects
  original: (this: any, ...args: any[]) => any,
  onResult: (value: unknown) => void,
): (this: unknown, ...args: unknown[]) => unknown {
  return function (this: unknown, ...args) {
    const callback = args.at(-1);
    if (typeof callback === 'function') args[args.length - 1] = observedCallback(callback as Callback, onResult);
    const result: unknown = original.apply(this, args);
    if (types.isPromise(result)) return followPromise(result, onResult, () => undefined) ?? result;
    onResult(result);
    return result;
  };
}

function observedCallback(callback: Callback, onResult: (value: unknown) => void): Callback {
  return function (this: unknown, error, value, ...rest) {
    onResult(value);
    return callback.call(this, error, value, ...rest);
  };
}
