/**
 * Learns how a promise ends that the application's own code has made and its caller waits for.
 *
 * The caller gets a promise that is derived from it, in its place. One that is derived on the side would count as a
 * handler of its rejection: the rejection that nobody handles would be hidden, or be reported twice.
 */

const METHODS = ['then', 'catch', 'finally'] as const;

/**
 * @param promise of any realm and class
 * @param onFulfilled called before the caller is; must not throw, as {@link onRejected}
 * @returns the derived promise, of the same class and with the same properties. undefined where none can stand for the
 *   promise, which is then to be handed on as it is: its class cannot be derived from, or it has a `then`, `catch` or
 *   `finally` other than those of `Promise`, which would be lost or would run at the wrong time
 */
export function followPromise<Value>(
  promise: Promise<Value>,
  onFulfilled: (value: Value) => void,
  onRejected: () => void,
): Promise<Value> | undefined {
  if (hasMethodsOfItsOwn(promise)) return undefined;
  let derived: Promise<Value>;
  try {
    derived = Promise.prototype.then.call(
      promise,
      (value: Value) => {
        onFulfilled(value);
        return value;
      },
      (reason: unknown) => {
        onRejected();
        throw reason;
      },
    ) as Promise<Value>;
  } catch {
    // what throws is the constructor of the class, and nothing has been attached to the promise before it has run
    return undefined;
  }
  // what a library has put on it, such as a cancel(); under symbols Node keeps the promise's own asynchronous context
  for (const name of Object.getOwnPropertyNames(promise)) {
    Reflect.defineProperty(derived, name, Object.getOwnPropertyDescriptor(promise, name) as PropertyDescriptor);
  }
  return derived;
}

/** Looks at all but the last two of its prototype chain: the `Promise.prototype` and `Object.prototype` of its realm. */
function hasMethodsOfItsOwn(promise: object): boolean {
  let holder = promise;
  let prototype: object | null = Object.getPrototypeOf(promise);
  while (prototype !== null) {
    const next: object | null = Object.getPrototypeOf(prototype);
    if (next === null) return false;
    for (const name of METHODS) if (Object.hasOwn(holder, name)) return true;
    holder = prototype;
    prototype = next;
  }
  return true;
}
