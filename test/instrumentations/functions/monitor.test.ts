/** monitor() changes nothing about the function that it measures. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { monitor } from '../../../src/instrumentations/functions/monitor';
import { type CallObserver, sharedState } from '../../../src/shared-state';

/** What was said of the calls, in order. */
let seen: string[] = [];

const OBSERVER: CallObserver = {
  begin(name, args) {
    seen.push(`begin ${name}`);
    return {
      args,
      returned: () => seen.push('returned'),
      ended: (isFailed) => seen.push(isFailed ? 'failed' : 'succeeded'),
    };
  },
};

class Stock {
  constructor(readonly amount: number) {}
  take(count: number, _reason?: string): number {
    return this.amount - count;
  }
}

class Odd<T> extends Promise<T> {
  readonly kind = 'odd';
}

/** A subclass whose promises cannot be derived from. */
class Stubborn<T> extends Promise<T> {
  static override get [Symbol.species](): PromiseConstructor {
    throw new Error('no species');
  }
}

const FAILURE = new Error('refused');

/** Functions by what they give back or throw, with how their call ends. */
const OUTCOMES: readonly { name: string; fn: () => unknown; ends: string }[] = [
  { name: 'a value', fn: () => 5, ends: 'returned' },
  { name: 'nothing', fn: () => undefined, ends: 'returned' },
  { name: 'null', fn: () => null, ends: 'returned' },
  {
    name: 'an exception',
    fn: () => {
      throw FAILURE;
    },
    ends: 'failed',
  },
  {
    name: 'an exception that is undefined',
    fn: () => {
      throw undefined;
    },
    ends: 'failed',
  },
  { name: 'a promise', fn: async () => 5, ends: 'succeeded' },
  { name: 'a promise that is rejected', fn: () => Promise.reject(FAILURE), ends: 'failed' },
  { name: 'a promise of a subclass', fn: () => Odd.resolve(5), ends: 'succeeded' },
  { name: 'a promise that cannot be derived from', fn: () => Stubborn.resolve(5), ends: 'returned' },
];

async function outcomeOf(fn: () => unknown) {
  try {
    const result = fn();
    const isPromise = result instanceof Promise;
    const kind = isPromise ? result.constructor.name : typeof result;
    return { kind, value: isPromise ? await result.then(String, (reason) => [reason]) : result };
  } catch (error) {
    return { thrown: error };
  }
}

for (const state of ['measuring', 'not started'] as const) {
  describe(`a monitored function, ${state}`, () => {
    beforeEach(() => {
      seen = [];
      sharedState().calls = state === 'measuring' ? OBSERVER : undefined;
    });
    afterEach(() => {
      sharedState().calls = undefined;
    });

    for (const { name, fn, ends } of OUTCOMES) {
      it(`gives ${name} as without us`, async () => {
        assert.deepEqual(await outcomeOf(monitor('f', fn)), await outcomeOf(fn));
        assert.deepEqual(seen, state === 'measuring' ? ['begin f', ends] : []);
      });
    }

    it('keeps name, length, properties and what it is', () => {
      async function fetchRow(_id: string, _options: object): Promise<number> {
        return 1;
      }
      const load = Object.assign(fetchRow, { ttl: 5 });
      const wrapped = monitor('load', load);
      assert.deepEqual([wrapped.name, wrapped.length, wrapped.ttl, typeof wrapped], ['fetchRow', 2, 5, 'function']);
      assert.ok(wrapped instanceof (async () => undefined).constructor);
      assert.deepEqual(Reflect.ownKeys(wrapped), Reflect.ownKeys(load));
    });

    it('gets its own this and arguments', () => {
      const stock = new Stock(7);
      const take = monitor('take', Stock.prototype.take);
      assert.equal(take.call(stock, 3), 4);
      assert.equal(take.bind(stock)(2, 'sold'), 5);
      const given = {};
      assert.equal(monitor('same', (value: object) => value)(given), given);
    });

    it('is a constructor where the function is one', () => {
      const Monitored = monitor('Stock', Stock as never) as unknown as typeof Stock;
      const stock = new Monitored(7);
      assert.ok(stock instanceof Stock && stock instanceof Monitored);
      assert.deepEqual(seen, []);
    });

    it('gives generators and asynchronous iterators through', async () => {
      const numbers = monitor('numbers', function* (this: unknown): Generator<number, string, number> {
        const sent = yield 1;
        yield sent * 2;
        return 'end';
      });
      const iterator = numbers();
      const steps = [iterator.next(), iterator.next(5), iterator.next(0)];
      assert.deepEqual(
        steps.map(({ value }) => value),
        [1, 10, 'end'],
      );
      const rows = monitor('rows', async function* () {
        yield 'a';
        throw FAILURE;
      });
      const got: string[] = [];
      await assert.rejects(async () => {
        for await (const row of rows()) got.push(row);
      }, FAILURE);
      assert.deepEqual(got, ['a']);
      const calls = ['begin numbers', 'returned', 'begin rows', 'returned'];
      assert.deepEqual(seen, state === 'measuring' ? calls : []);
    });

    it('does not make a lazy thenable work', () => {
      let asked = 0;
      const query = {
        // biome-ignore lint/suspicious/noThenProperty: it is what a query builder has
        get then() {
          asked++;
          return undefined;
        },
      };
      assert.equal(monitor('query', () => query)(), query);
      assert.equal(asked, 0);
    });

    it('keeps what a library has hung on a promise', async () => {
      const call = monitor('call', () => Object.assign(Promise.resolve(1), { cancel: () => 'cancelled' }));
      const promise = call();
      assert.equal(promise.cancel(), 'cancelled');
      assert.equal(await promise, 1);
    });
  });
}

describe('monitor', () => {
  it('gives anything but a function back as it is', () => {
    for (const value of [undefined, null, 5, {}]) assert.equal(monitor('x', value as never), value);
  });

  it('says from the first function on that there are some', () => {
    sharedState().hasMonitored = false;
    monitor('nothing', undefined as never);
    assert.equal(sharedState().hasMonitored, false);
    monitor('f', () => 1);
    assert.equal(sharedState().hasMonitored, true);
    sharedState().hasMonitored = false;
  });
});
