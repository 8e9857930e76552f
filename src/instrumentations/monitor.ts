/**
 * `monitor()`: functions of the application that it wants to have measured by name, and the source that takes their
 * calls while the exporter runs.
 *
 * The wrapper is a Proxy, so that name, length, properties, prototype and `new` are the function's own. It measures
 * through the state that copies of the package share: a function may be wrapped before `start()`, and by another copy
 * than the one that runs.
 */
import { IncomingMessage, ServerResponse } from 'node:http';
import { toUSVString, types } from 'node:util';
import { type ObservedCall, sharedState } from '../core/overrides';
import { nowMs } from '../core/stopwatch';
import { whenAnswered } from './http-inbound';
import type { Instrumentation, SourceContext } from './instrumentation';
import { routeOf } from './routes';

const NAME = 'monitor';

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
 *   promise comes back as one derived from it. It does not throw; anything but a function comes back as it is
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
  if (types.isPromise(result)) return derivedPromise(result, call);
  call.returned();
  return result;
}

/**
 * In the place of the function's promise: a promise derived on the side would count as a handler of its rejection. A
 * thenable that is no promise is left alone, because asking a lazy one for its value makes it work.
 */
function derivedPromise(promise: Promise<unknown>, call: ObservedCall): Promise<unknown> {
  try {
    const derived = Promise.prototype.then.call(
      promise,
      (value: unknown) => {
        call.ended(false);
        return value;
      },
      (reason: unknown) => {
        call.ended(true);
        throw reason;
      },
    );
    // what a library has hung on it, such as a cancel(); under symbols Node keeps the promise's own asynchronous context
    for (const key of Object.getOwnPropertyNames(promise)) {
      Object.defineProperty(derived, key, Object.getOwnPropertyDescriptor(promise, key) as PropertyDescriptor);
    }
    return derived;
  } catch {
    // a subclass that cannot be derived from
    call.returned();
    return promise;
  }
}

/** The source: takes the calls of every copy while the exporter runs. */
export function createMonitorInstrumentation(): Instrumentation {
  return {
    name: NAME,
    enable(context) {
      sharedState().calls = {
        begin(name, args) {
          try {
            return new Call(context, name, args);
          } catch (error) {
            context.recorder.failed(NAME, error, 'function');
            return undefined;
          }
        },
      };
    },
    disable() {
      sharedState().calls = undefined;
    },
  };
}

/** The part of a handler's arguments that matters. */
interface Handled {
  readonly request: IncomingMessage;
  /** Of a framework that hands it to the handler. */
  readonly response?: ServerResponse;
  /** Where Express's `next` stands among the arguments. */
  readonly nextIndex?: number;
}

class Call implements ObservedCall {
  readonly args: unknown[];
  private readonly startedMs: number;
  private readonly url: string;
  private readonly response: ServerResponse | undefined;
  private hasEnded = false;

  constructor(
    private readonly context: SourceContext,
    name: string,
    args: unknown[],
  ) {
    const handled = handledBy(args);
    // before it runs: what a middleware leads to is not its own route
    this.url = (handled && routeOf(handled.request)) ?? toUSVString(String(name));
    this.response = handled?.response;
    this.args = handled?.nextIndex === undefined ? args : this.withNext(args, handled.nextIndex);
    this.startedMs = nowMs();
  }

  returned(): void {
    const { response } = this;
    const isOver = response === undefined || response.writableEnded || response.destroyed;
    if (!isOver && whenAnswered(response, () => this.ended(false))) return;
    this.ended(false);
  }

  ended(isFailed: boolean): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.context.recorder.recordCall(this.url, nowMs() - this.startedMs, isFailed);
  }

  /** A handler with callbacks ends when it passes the request on, and fails when it does so with an error. */
  private withNext(args: unknown[], index: number): unknown[] {
    const next = args[index];
    if (typeof next !== 'function') return args;
    const observed = new Proxy(next, {
      apply: (target, self, values: unknown[]) => {
        const [reason] = values;
        this.ended(Boolean(reason) && reason !== 'route' && reason !== 'router');
        return Reflect.apply(target as (...values: unknown[]) => unknown, self, values);
      },
    });
    return args.with(index, observed);
  }
}

/** @returns undefined where the arguments are not those of a handler of Express, Koa, Fastify or node:http */
function handledBy(args: readonly unknown[]): Handled | undefined {
  const [first, second, third] = args;
  if (first instanceof IncomingMessage) return handled(first, second, 2);
  // an error handler of Express
  if (second instanceof IncomingMessage) return handled(second, third, 3);
  if (typeof first !== 'object' || first === null) return undefined;
  // Fastify
  const { raw, req } = first as { raw?: unknown; req?: unknown };
  if (raw instanceof IncomingMessage) return handled(raw, (second as { raw?: unknown } | undefined)?.raw);
  // Koa answers by itself when its middleware is done
  if (req instanceof IncomingMessage && typeof second === 'function') return { request: req };
  return undefined;
}

function handled(request: IncomingMessage, response: unknown, nextIndex?: number): Handled | undefined {
  if (!(response instanceof ServerResponse)) return undefined;
  return nextIndex === undefined ? { request, response } : { request, response, nextIndex };
}
