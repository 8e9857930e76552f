/**
 * Messages that a loop takes, one by one: `for await (const message of subscription)`. Where nobody acknowledges, the
 * loop answers by asking for the next one. A loop that is left in the middle counts its message as a failure, because
 * leaving by an error looks the same.
 */
import { patchMethod } from '../patching/patch';
import type { Delivery } from './delivery';

export interface LoopIterator {
  next(...args: unknown[]): Promise<IteratorResult<unknown>>;
  return?(...args: unknown[]): unknown;
  throw?(...args: unknown[]): unknown;
}

/**
 * @param iterator of one loop
 * @param begin gets what the loop is given, and says which delivery it answers; undefined for none; must not throw
 */
export function observeLoop(iterator: LoopIterator, begin: (value: unknown) => Delivery | undefined): void {
  let current: Delivery | undefined;
  patchMethod(iterator, 'next', (next) => {
    return (...args) => {
      current?.succeed();
      current = undefined;
      const result: Promise<IteratorResult<unknown>> = next.apply(iterator, args);
      return result.then((step) => {
        if (!step.done) current = begin(step.value);
        return step;
      });
    };
  });
  for (const name of ['return', 'throw'] as const) {
    if (iterator[name] === undefined) continue;
    patchMethod(iterator, name, (leave) => {
      return (...args) => {
        current?.fail();
        current = undefined;
        return leave.apply(iterator, args);
      };
    });
  }
}
