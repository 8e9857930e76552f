/**
 * Exchanges with hosts of the partner directory through fetch and undici, Node's own copy or the package, over HTTP/1
 * and HTTP/2. A request to any other host costs one look-up.
 *
 * undici publishes on diagnostics channels that a request was created, that the head of its response was received,
 * that it is complete, or that it failed. Every redirect and every retry is a request of its own there; what a mock or
 * a cache answers is not published. The channel of body chunks exists from 7.11 on, and a subscriber would make undici
 * publish every chunk of every host; so the method that receives the chunks is observed, on requests to partners only.
 *
 * A request is created when a connection may take it: the time it waits in a Pool with few connections is not part of
 * the duration.
 *
 * @see https://undici.nodejs.org/#/docs/api/DiagnosticsChannel
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { PartnerError } from '../../metrics/measurement';
import { nowMs } from '../../runtime/clock';
import type { Instrumentation, SourceContext } from '../instrumentation';
import { findDestination, originOf, parseOrigin } from './destination';
import { partnerErrorOf } from './partner-error';
import { PartnerExchange } from './partner-exchange';

const NAME = 'undici';
const CREATE = 'undici:request:create';
const HEADERS = 'undici:request:headers';
const TRAILERS = 'undici:request:trailers';
const ERROR = 'undici:request:error';

/** The methods of undici's request, by their names up to version 7 and from 8 on. */
const ON_CONNECT = ['onConnect', 'onRequestStart'] as const;
const ON_DATA = ['onData', 'onResponseData'] as const;
const ON_UPGRADE = ['onUpgrade', 'onRequestUpgrade'] as const;

/** Below 200 a head is informational and a response follows, but for 101. */
const STATUS_SWITCHING = 101;
const STATUS_OK = 200;

interface UndiciRequest {
  readonly method: string;
  readonly origin?: string | URL;
  readonly path: string;
}

/** Names and values in turn, repeated values as an array; an object in some versions for HTTP/2. */
type RawHeaders = readonly unknown[] | Readonly<Record<string, unknown>> | null | undefined;

interface UndiciMessage {
  readonly request: UndiciRequest;
  readonly response: { readonly statusCode: number; readonly headers: RawHeaders };
  readonly error: unknown;
}

type Method = (this: unknown, ...args: unknown[]) => unknown;

export function createUndiciInstrumentation(): Instrumentation {
  let subscriptions: (readonly [channel: string, listener: (message: unknown) => void])[] = [];
  return {
    name: NAME,
    enable(context) {
      const exchanges = new WeakMap<UndiciRequest, UndiciExchange>();
      const exchangeOf = (message: unknown) => exchanges.get((message as UndiciMessage).request);
      subscriptions = [
        [CREATE, (message) => begin((message as UndiciMessage).request, context, exchanges)],
        [HEADERS, (message) => exchangeOf(message)?.responded((message as UndiciMessage).response)],
        [TRAILERS, (message) => exchangeOf(message)?.completed()],
        [ERROR, (message) => exchangeOf(message)?.failed((message as UndiciMessage).error)],
      ];
      for (const [channel, listener] of subscriptions) subscribe(channel, listener);
    },
    disable() {
      for (const [channel, listener] of subscriptions) unsubscribe(channel, listener);
    },
  };
}

/** First: the request has been created; nothing has been sent, and there may be no connection yet. */
function begin(
  request: UndiciRequest,
  context: SourceContext,
  exchanges: WeakMap<UndiciRequest, UndiciExchange>,
): void {
  try {
    const { method, path } = request;
    const origin = typeof request.origin === 'string' ? parseOrigin(request.origin) : request.origin;
    if (origin === undefined) return;
    const { protocol, hostname } = origin;
    const port = () => originOf(origin).port;
    const destination = findDestination(context.partners, { method, protocol, hostname, path, port });
    if (destination === undefined) return;
    const exchange = new UndiciExchange(new PartnerExchange(context, NAME, destination, nowMs()));
    exchange.follow(request);
    exchanges.set(request, exchange);
  } catch (error) {
    context.recorder.failed(NAME, error, 'partner');
  }
}

/** One exchange with a partner, as undici shows it. */
class UndiciExchange {
  private isAborted = false;

  constructor(private readonly exchange: PartnerExchange) {}

  /** Observes what the channels do not publish in every version. */
  follow(request: UndiciRequest): void {
    // undici gives the handler a function that aborts the exchange; its reason can be of any type
    intercept(request, ON_CONNECT, (method, args) => {
      const [abort, ...rest] = args as [Method, ...unknown[]];
      return method(
        (...reason: unknown[]) => {
          this.isAborted = true;
          return abort(...reason);
        },
        ...rest,
      );
    });
    intercept(request, ON_DATA, (method, args) => {
      this.exchange.chunk(args[0] as Uint8Array);
      return method(...args);
    });
    // only later versions publish the head of an upgraded connection
    intercept(request, ON_UPGRADE, (method, args) => {
      const [statusCode] = args;
      if (typeof statusCode !== 'number') return method(...args);
      this.exchange.responded(statusCode);
      this.exchange.finish(false);
      return method(...args);
    });
  }

  /** Second: the head of a response was received, which may be informational. */
  responded({ statusCode, headers }: UndiciMessage['response']): void {
    if (statusCode < STATUS_OK && statusCode !== STATUS_SWITCHING) return;
    this.exchange.responded(statusCode);
    this.exchange.bodyBegins({ header: (name) => headerValue(headers, name) });
  }

  /** Last: the response is complete, whether or not the application reads it. */
  completed(): void {
    this.exchange.finish(true);
  }

  /** Last, instead: the exchange failed, or the application gave it up. */
  failed(error: unknown): void {
    this.exchange.failed(this.causeOf(error));
    this.exchange.finish(false);
  }

  private causeOf(error: unknown): PartnerError {
    const cause = partnerErrorOf(error, { hasTimedOut: false, isDestroyed: this.isAborted });
    return this.isAborted && cause !== 'timeout' ? 'aborted' : cause;
  }
}

/** Puts an observer before the first of the methods that exists on the request; not enumerable, as a method is. */
function intercept(
  request: UndiciRequest,
  names: readonly string[],
  observe: (method: (...args: unknown[]) => unknown, args: unknown[]) => unknown,
): void {
  const methods = request as unknown as Record<string, Method | undefined>;
  for (const name of names) {
    const original = methods[name];
    if (typeof original !== 'function') continue;
    Object.defineProperty(request, name, {
      value(this: unknown, ...args: unknown[]) {
        return observe((...passed) => original.apply(this, passed), args);
      },
      writable: true,
      configurable: true,
      enumerable: false,
    });
    return;
  }
}

/** Names and values are strings or, as received, bytes. */
function headerValue(headers: RawHeaders, wanted: string): string | undefined {
  if (headers === null || headers === undefined) return undefined;
  const entries = Array.isArray(headers) ? headers : Object.entries(headers).flat(1);
  for (let i = 0; i + 1 < entries.length; i += 2) {
    const name = entries[i] as string | Uint8Array;
    if (name.length === wanted.length && String(name).toLowerCase() === wanted) return String(entries[i + 1]);
  }
  return undefined;
}
