/**
 * One exchange of node:http or node:https with a partner, followed by `emit` of its request and `push` of its response
 * rather than by listeners. The application counts listeners, is warned of too many, and may remove them all; and an
 * error without a listener of the application must stay unhandled.
 */
import { EventEmitter } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { AnswerHead } from '../../business-code/code-reader';
import { partnerErrorOf } from './partner-error';
import type { PartnerExchange } from './partner-exchange';

type Emit = (this: unknown, ...args: unknown[]) => boolean;
type Push = (this: unknown, chunk: unknown, encoding?: BufferEncoding) => boolean;

export class Http1Exchange {
  private response: IncomingMessage | undefined;
  private hasTimedOut = false;
  /** The request's, as it was. */
  private readonly emit: Emit;
  /** The response's, as it was. */
  private push: Push | undefined;

  /** Follows a request, of which nothing has been sent; without effect on one that is followed already. */
  static follow(request: ClientRequest, exchange: PartnerExchange): void {
    if (exchangeOf(request) === undefined) new Http1Exchange(request, exchange);
  }

  private constructor(
    private readonly request: ClientRequest,
    private readonly exchange: PartnerExchange,
  ) {
    this.emit = request.emit as Emit;
    new Observed(request, this);
    Object.defineProperty(request, 'emit', OBSERVED_EMIT);
  }

  /** The exchange that a response belongs to; undefined where it is not followed. */
  static of(response: object): PartnerExchange | undefined {
    return exchangeOf(response)?.exchange;
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

  /** A chunk of the body, whether or not the application reads it; null: the end of the body. @returns what its `push` does */
  pushed(chunk: unknown, encoding?: BufferEncoding): boolean {
    if (chunk !== null) this.exchange.chunk(chunk as string | Uint8Array, encoding);
    else if (this.response?.complete) this.finish(true);
    return (this.push as Push).call(this.response, chunk, encoding);
  }

  /** The head of the response was received. */
  private responded(value: unknown): void {
    const response = responseOf(this.request);
    // an application may emit an event of this name itself
    if (response === undefined || value !== response || this.response !== undefined || this.exchange.isFinished) return;
    this.response = response;
    // the answer of a remote method may end before the body does
    this.exchange.responded(response.statusCode);
    this.exchange.bodyBegins(headOf(response));
    this.push = response.push as Push;
    new Observed(response, this);
    Object.defineProperty(response, 'push', OBSERVED_PUSH);
  }

  /** The exchange failed; its end is the request's `close`, which follows. */
  private failed(error: unknown): void {
    const isDestroyed = this.request.destroyed || this.response?.destroyed === true;
    this.exchange.failed(partnerErrorOf(error, { hasTimedOut: this.hasTimedOut, isDestroyed }));
  }

  /** Last: the request is over, with a response that was read, that was not, or with none. */
  private finish(isWhole: boolean): void {
    if (this.exchange.isFinished) return;
    // an upgraded exchange has its response on the request alone
    const status = (this.response ?? responseOf(this.request))?.statusCode;
    this.exchange.responded(status);
    if (status === undefined) this.failed(undefined);
    else if (!isWhole && this.response !== undefined && isBodyDue(this.request, this.response)) this.brokeOff();
    this.exchange.finish(isWhole);
  }

  /**
   * Node destroys request and response for whoever closed the connection, with the same words: the socket knows who it
   * was.
   */
  private brokeOff(): void {
    const { socket } = this.request;
    if (!socket?.errored && socket?.readableEnded) this.exchange.failed('reset');
    else this.failed(socket?.errored ?? undefined);
  }
}

/** Returns its argument in place of `this`, so that a class that extends it adds its private fields to that object. */
class ReturnsArgument {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: the purpose of this class
    return object;
  }
}

/**
 * Keeps the exchange on request and response, in a private field that no other code can see. A WeakMap would do the
 * same, but the garbage collector spent more time on its entries than all the rest of an exchange took.
 */
class Observed extends ReturnsArgument {
  readonly #exchange: Http1Exchange;

  constructor(object: object, exchange: Http1Exchange) {
    super(object);
    this.#exchange = exchange;
  }

  static exchangeOf(object: object): Http1Exchange | undefined {
    return #exchange in object ? object.#exchange : undefined;
  }
}

const { exchangeOf } = Observed;

// not enumerable, so that a stream printed by the application looks as without us; writable, as others replace
// them too; one function for all exchanges, so that their objects keep one shape
const HIDDEN = { writable: true, configurable: true, enumerable: false };
const OBSERVED_EMIT = { ...HIDDEN, value: observedEmit };
const OBSERVED_PUSH = { ...HIDDEN, value: observedPush };

function observedEmit(this: object, ...args: unknown[]): boolean {
  const exchange = exchangeOf(this);
  // the method has been copied to another object
  return exchange === undefined ? (EventEmitter.prototype.emit as Emit).apply(this, args) : exchange.emitted(args);
}

function observedPush(this: object, chunk: unknown, encoding?: BufferEncoding): boolean {
  const exchange = exchangeOf(this);
  const { push } = Readable.prototype;
  return exchange === undefined ? (push as Push).call(this, chunk, encoding) : exchange.pushed(chunk, encoding);
}

/** What a response says of itself before its body and after it. */
function headOf(response: IncomingMessage): AnswerHead {
  return {
    header: (name) => headerOf(response, name),
    trailer: (name) => fieldOf(response.rawTrailers, name),
  };
}

/** Whether there is more of a response than its head, which the application may have been content with. */
function isBodyDue({ method }: ClientRequest, response: IncomingMessage): boolean {
  const { statusCode } = response;
  return method !== 'HEAD' && statusCode !== 204 && statusCode !== 304 && headerOf(response, 'content-length') !== '0';
}

/**
 * Not from `headers`: Node creates that object at the first access, and clients that decompress, such as axios, delete
 * headers from it.
 */
function headerOf({ rawHeaders }: IncomingMessage, wanted: string): string | undefined {
  return fieldOf(rawHeaders, wanted);
}

function fieldOf(raw: readonly string[], wanted: string): string | undefined {
  const at = raw.findIndex((name, n) => n % 2 === 0 && name.toLowerCase() === wanted);
  return at < 0 ? undefined : raw[at + 1];
}

function responseOf(request: ClientRequest): IncomingMessage | undefined {
  return (request as { res?: IncomingMessage | null }).res ?? undefined;
}
