/** A promise that is followed ends for its caller as it would without us. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runInNewContext } from 'node:vm';
import { followPromise } from '../../../src/instrumentations/patching/follow-promise';

const FAILURE = new Error('refused');

class Odd<T> extends Promise<T> {
  readonly kind = 'odd';
}

/** A class whose promises cannot be derived from. */
class Stubborn<T> extends Promise<T> {
  static override get [Symbol.species](): PromiseConstructor {
    throw new Error('no species');
  }
}

/** As p-lazy: the work begins when somebody asks for its value. */
class Lazy<T> extends Promise<T> {
  asked = 0;
  // biome-ignore lint/suspicious/noThenProperty: it is what such a class has
  override then<A, B>(...callbacks: Parameters<Promise<T>['then']>): Promise<A | B> {
    this.asked++;
    return super.then(...callbacks) as Promise<A | B>;
  }
}

/** Follows a promise and notes how it ended. */
function follow(promise: Promise<unknown>) {
  const seen: unknown[] = [];
  const followed = followPromise(
    promise,
    (value) => seen.push(value),
    () => seen.push('rejected'),
  );
  return { followed, seen };
}

describe('a promise that is followed', () => {
  const ends: readonly (readonly [name: string, make: () => Promise<unknown>])[] = [
    ['a promise', () => Promise.resolve(5)],
    ['a promise of another realm', () => runInNewContext('Promise.resolve(5)')],
    ['a promise of a subclass', () => Odd.resolve(5)],
  ];
  for (const [name, make] of ends) {
    it(`gives ${name} of the same class and with the same value`, async () => {
      const promise = make();
      const { followed, seen } = follow(promise);
      assert.equal(Object.getPrototypeOf(followed), Object.getPrototypeOf(promise));
      assert.deepEqual([await followed, seen], [5, [5]]);
    });
  }

  it('gives the same reason', async () => {
    const { followed, seen } = follow(Promise.reject(FAILURE));
    await assert.rejects(followed as Promise<unknown>, FAILURE);
    assert.deepEqual(seen, ['rejected']);
  });

  it('keeps the properties that hang on it, as they are', () => {
    const promise = Promise.resolve(1);
    Object.defineProperty(promise, 'cancel', { value: () => 'cancelled', enumerable: false });
    const { followed } = follow(promise);
    assert.deepEqual(
      Object.getOwnPropertyDescriptor(followed, 'cancel'),
      Object.getOwnPropertyDescriptor(promise, 'cancel'),
    );
  });
});

describe('a promise that none can stand for', () => {
  const own = (name: string) => Object.defineProperty(Promise.resolve(1), name, { value: () => undefined });
  const cases: readonly (readonly [name: string, promise: Promise<unknown>])[] = [
    ['has a then of its own', own('then')],
    ['has a catch of its own', own('catch')],
    ['has a finally of its own', own('finally')],
    ['is of a class with a then of its own', new Lazy((resolve) => resolve(1))],
    ['is of a class that cannot be derived from', Stubborn.resolve(1)],
    ['has no prototype', Object.setPrototypeOf(Promise.resolve(1), null)],
  ];
  for (const [name, promise] of cases) {
    it(`is left alone when it ${name}`, async () => {
      const { followed, seen } = follow(promise);
      await new Promise(setImmediate);
      assert.equal(followed, undefined);
      assert.deepEqual(seen, []);
      assert.equal((promise as Partial<Lazy<unknown>>).asked ?? 0, 0);
    });
  }
});
