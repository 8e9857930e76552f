/**
 * Shows the body of the responses that this process gives, by `write` and `end` of ServerResponse.prototype: what
 * stands above them, as `compression` does, has had its turn.
 */
import { ServerResponse } from 'node:http';
import { patchMethod } from './patch';

/** Neither may throw. */
export interface ResponseObserver {
  /** A piece of the body, before it is sent; `end` may bring the last one. */
  chunk(response: ServerResponse, chunk: string | Uint8Array, encoding: BufferEncoding | undefined): void;
  /** `end` has been called. */
  ended?(response: ServerResponse): void;
}

type Method = (...args: unknown[]) => unknown;

/** @returns a function that ends it */
export function observeResponses(observer: ResponseObserver): () => void {
  const observeBody = (original: Method, isInForce: () => boolean) =>
    function (this: ServerResponse, ...args: unknown[]) {
      const [chunk, encoding] = args;
      // what comes behind the end is refused by Node
      if (isInForce() && (typeof chunk === 'string' || chunk instanceof Uint8Array) && !this.writableEnded) {
        observer.chunk(this, chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : undefined);
      }
      return original.apply(this, args);
    };
  const observeEnd = (original: Method, isInForce: () => boolean) => {
    const end = observeBody(original, isInForce);
    return function (this: ServerResponse, ...args: unknown[]) {
      const result = end.apply(this, args);
      if (isInForce()) observer.ended?.(this);
      return result;
    };
  };
  const restore = [
    patchMethod(ServerResponse.prototype, 'write', observeBody),
    patchMethod(ServerResponse.prototype, 'end', observeEnd),
  ];
  return () => {
    for (const put of restore) put();
  };
}
