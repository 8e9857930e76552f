/**
 * Calls that this process makes through fetch or undici, Node's own copy or the package, over HTTP/1 and HTTP/2, to
 * hosts of the partner directory. Any other call costs one look-up of its host.
 *
 * undici says on diagnostics channels when it has created a request, has a response's head, has reached its end or
 * has failed; every redirect and every further attempt is a request of its own there, and one that a mock or a cache
 * answers is none. The channel of body chunks exists from 7.11 on, and would be published for every call of the
 * process; so the method that takes the chunks is observed instead, on the partner's requests alone.
 *
 * A request exists once a connection may take it: time spent in the queue of a Pool with limited connections is not
 * in the duration.
 *
 * @see https://undici.nodejs.org/#/docs/api/DiagnosticsChannel
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { PartnerError } from '../../metrics/measurement';
import { nowMs } from '../../runtime/clock';
import type { Instrumentation, SourceContext } from '../instrumentation';
import { destinationOf } from './destination';
import { PartnerCall } from './partner-call';
import { partnerErrorOf } from './partner-error';

const NAME = 'undici';
const CREATE = 'undici:request:create';
const HEADERS = 'undici:request:headers';
const TRAILERS = 'undici:request:trailers';
const ERROR = 'undici:request:error';

/** The methods of undici's request, by their names up to version 7 and from 8 on. */
const ON_CONNECT = ['onConnect', 'onRequestStart'] as const;
const ON_DATA = ['onData', 'onResponseData'] as const;
const ON_UPGRADE = ['onUpgrade', 'onRequestUpgrade'] as const;

/** Informational answers precede the response; 101 is one. */
const STATUS_SWITCHING = 101;
const STATUS_OK = 200;

interface UndiciRequest {
  readonly origin?: string | URL;
  readonly path: string;
}

/** Names and values in turn, a value that was sent several times as a list of its own; HTTP/2 may give an object. */
type RawHeaders = readonly unknown[] | Readonly<Record<string, unknown>> | null | undefined;

interface UndiciMessage {
  readonly request: UndiciRequest;
  readonly response: { readonly statusCode: number; readonly headers: RawHeaders };
  readonly error: unknown;
}

interface Target {
  readonly protocol: string;
  readonly hostname: string;
  readonly port: number | undefined;
  readonly path: string;
}

type Method = (this: unknown, ...args: unknown[]) => unknown;

const calls = new WeakMap<UndiciRequest, UndiciCall>();

export function createUndiciInstrumentation(): Instrumentation {
  let onCreate: (message: unknown) => void;
  return {
    name: NAME,
    enable(context) {
      onCreate = (message) => begin((message as UndiciMessage).request, context);
      subscribe(CREATE, onCreate);
      subscribe(HEADERS, onHeaders);
      subscribe(TRAILERS, onTrailers);
      subscribe(ERROR, onError);
    },
    disable() {
      unsubscribe(CREATE, onCreate);
      unsubscribe(HEADERS, onHeaders);
      unsubscribe(TRAILERS, onTrailers);
      unsubscribe(ERROR, onError);
    },
  };
}

/** First: the request has been created; nothing has been sent, and there may be no connection yet. */
function begin(request: UndiciRequest, context: SourceContext): void {
  try {
    const { protocol, hostname, port, path } = targetOf(request);
    if (!context.partners.knowsHost(hostname)) return;
    const partner = context.partners.find(protocol, hostname, port);
    if (partner === undefined) return;
    const call = new UndiciCall(new PartnerCall(context, NAME, destinationOf(partner, path), nowMs()));
    call.follow(request);
    calls.set(request, call);
  } catch (error) {
    context.recorder.failed(NAME, error, 'partner');
  }
}

/** Second: the head of the response has come. */
function onHeaders(message: unknown): void {
  const { request, response } = message as UndiciMessage;
  calls.get(request)?.responded(response.statusCode, response.headers);
}

/** Last: the response has come to its end, whether or not the application reads it. */
function onTrailers(message: unknown): void {
  calls.get((message as UndiciMessage).request)?.completed();
}

/** Last, instead: the exchange failed, or the application gave it up. */
function onError(message: unknown): void {
  const { request, error } = message as UndiciMessage;
  calls.get(request)?.failed(error);
}

/** One exchange with a partner, as undici shows it. */
class UndiciCall {
  private isAborted = false;

  constructor(private readonly call: PartnerCall) {}

  /** Observes what the channels do not say in every version. */
  follow(request: UndiciRequest): void {
    // undici hands the application's side a function to give the exchange up; its reason can be anything
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
      this.call.chunk(args[0] as Uint8Array);
      return method(...args);
    });
    // of an upgraded connection only later versions publish the head
    intercept(request, ON_UPGRADE, (method, args) => {
      const [statusCode] = args;
      if (typeof statusCode !== 'number') return method(...args);
      this.call.responded(statusCode);
      this.call.finish(false);
      return method(...args);
    });
  }

  responded(statusCode: number, headers: RawHeaders): void {
    if (statusCode < STATUS_OK && statusCode !== STATUS_SWITCHING) return;
    this.call.responded(statusCode);
    this.call.bodyBegins(() => headerValue(headers, 'content-encoding'));
  }

  completed(): void {
    this.call.finish(true);
  }

  failed(error: unknown): void {
    this.call.failed(this.causeOf(error));
    this.call.finish(false);
  }

  private causeOf(error: unknown): PartnerError {
    const cause = partnerErrorOf(error, { hasTimedOut: false, isDestroyed: this.isAborted });
    return this.isAborted && cause !== 'timeout' ? 'aborted' : cause;
  }
}

/** Puts an observer before the first of the methods that the request has; not enumerable, as a method is. */
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

const ORIGIN = /^([a-z][a-z0-9+.-]*:)\/\/(?:[^@/]*@)?(\[[^\]]*\]|[^:/?#]*)(?::(\d+))?/i;

/** Where a request goes. One through a forward proxy that does not tunnel has a whole URL in place of its path. */
function targetOf({ origin, path }: UndiciRequest): Target {
  const proxied = ORIGIN.exec(path);
  const [whole, protocol = '', hostname = '', port] = proxied ?? ORIGIN.exec(String(origin)) ?? [''];
  return {
    protocol: protocol.toLowerCase(),
    hostname,
    port: port === undefined ? undefined : Number(port),
    path: proxied === null ? path : path.slice(whole.length) || '/',
  };
}

/** Names and values are text or, as they came over the wire, bytes. */
function headerValue(headers: RawHeaders, wanted: string): string | undefined {
  if (headers === null || headers === undefined) return undefined;
  const entries = Array.isArray(headers) ? headers : Object.entries(headers).flat(1);
  for (let i = 0; i + 1 < entries.length; i += 2) {
    const name = entries[i] as string | Uint8Array;
    if (name.length === wanted.length && String(name).toLowerCase() === wanted) return String(entries[i + 1]);
  }
  return undefined;
}
