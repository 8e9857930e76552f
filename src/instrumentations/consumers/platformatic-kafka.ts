/**
 * Messages of @platformatic/kafka 2: of the streams that its consumers give, by a loop and by listeners of `data`.
 *
 * Kafka knows no answer to a single message, and a committed offset says nothing of success: the listener's end decides,
 * or the loop's return for the next message. The package is an ES module, and tells of each stream that it makes; the
 * first leads to their class.
 */
import type { EventEmitter } from 'node:events';
import type { Instrumentation } from '../instrumentation';
import { patchMethod } from '../patching/patch';
import { ConsumerSource, type Delivery } from './delivery';
import { emitFollowed, isCapturing, type Parts } from './listeners';
import { type LoopIterator, observeLoop } from './loop';

interface Stream {
  [Symbol.asyncIterator](...args: unknown[]): LoopIterator;
  emit(event: string, ...args: unknown[]): boolean;
  rawListeners: EventEmitter['rawListeners'];
  listenerCount(event: string): number;
}

const DATA = 'data';

/** Streams that a loop reads: their messages are its, also where listeners look on. */
const looped = new WeakSet<Stream>();

const source = new ConsumerSource('platformatic-kafka', {}, patchStream);

export function createPlatformaticKafkaInstrumentation(): Instrumentation {
  return source;
}

function patchStream(candidate: object): void {
  if (!source.claims(candidate, 'emit', 'rawListeners', 'listenerCount', 'isActive')) return;
  const prototype = candidate as Stream;
  patchMethod(prototype, Symbol.asyncIterator, (iterate) => {
    return function (this: Stream, ...args) {
      const iterator: LoopIterator = iterate.apply(this, args);
      source.guarded(() => {
        if (typeof iterator?.next !== 'function') return;
        looped.add(this);
        observeLoop(iterator, begin);
      });
      return iterator;
    };
  });
  patchMethod(prototype, 'emit', (emit) => {
    return function (this: Stream, event, ...args) {
      const parts = event === DATA ? beginParts(this, args[0]) : undefined;
      return parts === undefined ? emit.call(this, event, ...args) : emitFollowed(this, event, args, parts);
    };
  });
}

function begin(message: unknown): Delivery | undefined {
  let delivery: Delivery | undefined;
  source.guarded(() => {
    if (typeof message !== 'object' || message === null) return;
    delivery = source.deliver(String((message as { topic?: unknown }).topic ?? ''));
  });
  return delivery;
}

/** @returns undefined where nobody listens, as while a loop or `read` takes the messages */
function beginParts(stream: Stream, message: unknown): Parts | undefined {
  if (stream.listenerCount(DATA) === 0 || looped.has(stream) || isCapturing(stream)) return undefined;
  const delivery = begin(message);
  if (delivery === undefined) return undefined;
  let parts = 0;
  return {
    begin: () => void parts++,
    end: () => void (--parts === 0 && delivery.succeed()),
    fail: () => delivery.fail(),
  };
}
