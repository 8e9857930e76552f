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
  const observeWrite = (original: Method, isInForce: () => boolean) =>
    function (this: ServerResponse, ...args: unknown[]) {
      if (isInForce()) showChunk(observer, this, args[0], args[1]);
      return original.apply(this, args);
    };
  const observeEnd = (original: Method, isInForce: () => boolean) =>
    function (this: ServerResponse, ...args: unknown[]) {
      if (!isInForce()) return original.apply(this, args);
      showChunk(observer, this, args[0], args[1]);
      const result = original.apply(this, args);
      observer.ended?.(this);
      return result;
    };
  const restore = [
    patchMethod(ServerResponse.prototype, 'write', observeWrite),
    patchMethod(ServerResponse.prototype, 'end', observeEnd),
  ];
  return () => {
    for (const put of restore) put();
  };
}

function showChunk(observer: ResponseObserver, response: ServerResponse, chunk: unknown, encoding: unknown): void {
  // what comes behind the end is refused by Node
  if ((typeof chunk === 'string' || chunk instanceof Uint8Array) && !response.writableEnded) {
    observer.chunk(response, chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : undefined);
  }
}
