/**
 * Observes the bodies of the responses that this process sends, in `write` and `end` of ServerResponse.prototype.
 * Middleware that replaces these methods on one response, as `compression` does, runs before.
 */
import { OutgoingMessage, ServerResponse } from 'node:http';
import { patchMethod } from '../patching/patch';
import { type OnWritten, withCallback } from './written';

/** Its methods must not throw. */
export interface ResponseObserver {
  /**
   * A chunk of the body is about to be written.
   * @returns a callback for Node, when that chunk has been handed to the operating system or could not be
   */
  beforeWrite?(response: ServerResponse, chunk: unknown, encoding: unknown): OnWritten | undefined;
  /** Node has taken a chunk of the body. `end` may bring the last one; Node refuses those after that. */
  chunk(response: ServerResponse, chunk: string | Uint8Array, encoding: BufferEncoding | undefined): void;
  /** `end` has been called. */
  ended(response: ServerResponse): void;
}

type Method = (...args: unknown[]) => unknown;

/** The methods that ServerResponse inherits; looked up at each call, so that a later replacement takes effect. */
const INHERITED = {
  write(this: ServerResponse, ...args: unknown[]) {
    return (OutgoingMessage.prototype.write as Method).apply(this, args);
  },
  end(this: ServerResponse, ...args: unknown[]) {
    return (OutgoingMessage.prototype.end as Method).apply(this, args);
  },
};

/** @returns a function that ends the observation */
export function observeResponses(observer: ResponseObserver): () => void {
  const observeWrite = (original: Method, isInForce: () => boolean) =>
    function (this: ServerResponse, ...args: unknown[]) {
      if (!isInForce()) return original.apply(this, args);
      const onWritten = observer.beforeWrite?.(this, args[0], args[1]);
      const result = original.apply(this, onWritten === undefined ? args : withCallback(args, onWritten));
      showChunk(observer, this, args[0], args[1]);
      return result;
    };
  const observeEnd = (original: Method, isInForce: () => boolean) =>
    function (this: ServerResponse, ...args: unknown[]) {
      const result = original.apply(this, args);
      if (isInForce()) {
        showChunk(observer, this, args[0], args[1]);
        observer.ended(this);
      }
      return result;
    };
  const restore = [
    patchMethod(ServerResponse.prototype, 'write', observeWrite, INHERITED.write),
    patchMethod(ServerResponse.prototype, 'end', observeEnd, INHERITED.end),
  ];
  return () => {
    for (const put of restore) put();
  };
}

function showChunk(observer: ResponseObserver, response: ServerResponse, chunk: unknown, encoding: unknown): void {
  if (typeof chunk === 'string' || chunk instanceof Uint8Array) {
    observer.chunk(response, chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : undefined);
  }
}
