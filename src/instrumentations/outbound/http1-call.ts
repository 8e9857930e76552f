/**
 * One exchange of node:http or node:https with a partner, as its request and response objects show it: by their `emit`
 * and `push`, without a listener. The application counts its own listeners, is warned of too many, and may remove all
 * there are; an error that nobody handles stays unhandled.
 */
import { EventEmitter } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { PartnerCall } from './partner-call';
import { partnerErrorOf } from './partner-error';

type Emit = (this: unknown, ...args: unknown[]) => boolean;
type Push = (this: unknown, chunk: unknown, encoding?: BufferEncoding) => boolean;

export class HttpCall {
  private response: IncomingMessage | undefined;
  private hasTimedOut = false;
  /** The request's, as it was. */
  private readonly emit: Emit;
  /** The response's, as it was. */
  private push: Push | undefined;

  /** Follows a request, of which nothing has been sent. One that is followed already, it leaves alone. */
  static follow(request: ClientRequest, call: PartnerCall): void {
    if (callOf(request) === undefined) new HttpCall(request, call);
  }

  private constructor(
    private readonly request: ClientRequest,
    private readonly call: PartnerCall,
  ) {
    this.emit = request.emit as Emit;
    new Observed(request, this);
    Object.defineProperty(request, 'emit', OBSERVED_EMIT);
  }

  /** An event of the request, before its listeners see it. @returns what its `emit` does */
  emitted(args: unknown[]): boolean {
    const [event, value] = args;
    if (event === 'response') this.responded(value);
    else if (event === 'error') this.failed(value);
    else if (event === 'timeout') this.hasTimedOut = true;
    else if (event === 'close') this.finish(false);
    return this.emit.apply(this.request, args);
  }

  /** A chunk of the body, whether or not the application reads it; null: its end. @returns what its `push` does */
  pushed(chunk: unknown, encoding?: BufferEncoding): boolean {
    if (chunk !== null) this.call.chunk(chunk as string | Uint8Array, encoding);
    else if (this.response?.complete) this.finish(true);
    return (this.push as Push).call(this.response, chunk, encoding);
  }

  /** The head of the response has come. */
  private responded(value: unknown): void {
    const response = responseOf(this.request);
    // what an application emits by itself is no response
    if (response === undefined || value !== response || this.response !== undefined || this.call.isFinished) return;
    this.response = response;
    this.call.bodyBegins(() => contentEncodingOf(response));
    this.push = response.push as Push;
    new Observed(response, this);
    Object.defineProperty(response, 'push', OBSERVED_PUSH);
  }

  /** The exchange failed; its end is the request's `close`, which follows. */
  private failed(error: unknown): void {
    this.call.failed(partnerErrorOf(error, { hasTimedOut: this.hasTimedOut, isDestroyed: this.request.destroyed }));
  }

  /** Last: the request is over, with a response that was read, that was not, or with none. */
  private finish(isWhole: boolean): void {
    if (this.call.isFinished) return;
    // an upgraded exchange has its response on the request alone
    const status = (this.response ?? responseOf(this.request))?.statusCode;
    this.call.responded(status);
    if (status === undefined) this.failed(undefined);
    this.call.finish(isWhole);
  }
}

/** Gives back what it is given, as its `this`: the fields of a class that extends it are put on that object. */
class Given {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: that is what it is for
    return object;
  }
}

/**
 * Keeps the call on request and response, in a private field that nobody else can see. A WeakMap would do the same;
 * its entries made the collector's work the larger half of what a call cost.
 */
class Observed extends Given {
  readonly #call: HttpCall;

  constructor(object: object, call: HttpCall) {
    super(object);
    this.#call = call;
  }

  static callOf(object: object): HttpCall | undefined {
    return #call in object ? object.#call : undefined;
  }
}

const { callOf } = Observed;

// not enumerable, so that a stream printed by the application looks as ever; writable, as others do the same; one
// function for all calls, so that their objects keep one shape
const HIDDEN = { writable: true, configurable: true, enumerable: false };
const OBSERVED_EMIT = { ...HIDDEN, value: observedEmit };
const OBSERVED_PUSH = { ...HIDDEN, value: observedPush };

function observedEmit(this: object, ...args: unknown[]): boolean {
  const call = callOf(this);
  // somebody has put the method on another object
  return call === undefined ? (EventEmitter.prototype.emit as Emit).apply(this, args) : call.emitted(args);
}

function observedPush(this: object, chunk: unknown, encoding?: BufferEncoding): boolean {
  const call = callOf(this);
  const { push } = Readable.prototype;
  return call === undefined ? (push as Push).call(this, chunk, encoding) : call.pushed(chunk, encoding);
}

/**
 * Not from `headers`: Node makes that object when it is first asked for, and clients that decompress, like axios, delete
 * the header from it.
 */
function contentEncodingOf({ rawHeaders }: IncomingMessage): string | undefined {
  const at = rawHeaders.findIndex((name, n) => n % 2 === 0 && name.toLowerCase() === 'content-encoding');
  return at < 0 ? undefined : rawHeaders[at + 1];
}

function responseOf(request: ClientRequest): IncomingMessage | undefined {
  return (request as { res?: IncomingMessage | null }).res ?? undefined;
}
