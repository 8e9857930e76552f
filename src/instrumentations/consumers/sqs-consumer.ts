/**
 * Messages of Amazon SQS, as sqs-consumer hands them to `handleMessage`, and batches to `handleMessageBatch`.
 *
 * The answer is the deletion of the message from the queue. What the handler has ended without, by an error or by not
 * returning the message, comes again. With `shouldDeleteMessages: false` to be about to delete it is enough.
 */
import { types } from 'node:util';
import type { Instrumentation } from '../instrumentation';
import { followPromise } from '../patching/follow-promise';
import { patchMethod } from '../patching/patch';
import { ConsumerSource, type Delivery, followHandler, prototypeOf } from './delivery';

type Method = (this: Consumer, subject: unknown, ...rest: unknown[]) => unknown;

interface Consumer {
  readonly queueUrl?: unknown;
  processMessage: Method;
  deleteMessage: Method;
  processMessageBatch: Method;
  deleteMessageBatch: Method;
}

interface Batch {
  readonly delivery: Delivery;
  readonly size: number;
}

const source = new ConsumerSource(
  'sqs-consumer',
  { '/dist/cjs/consumer.js': (exported) => patchConsumer(prototypeOf((exported as { Consumer?: unknown }).Consumer)) },
  patchConsumer,
  { 'sqs-consumer': ({ Consumer }) => patchConsumer(prototypeOf(Consumer?.get())) },
);

/** By the message, or by the consumer of a batch: it has one at a time. */
const messages = new WeakMap<object, Delivery>();
const batches = new WeakMap<object, Batch>();

export function createSqsConsumerInstrumentation(): Instrumentation {
  return source;
}

function patchConsumer(candidate: object | undefined): void {
  const methods = ['processMessage', 'deleteMessage', 'processMessageBatch', 'deleteMessageBatch'] as const;
  if (!source.claims(candidate, ...methods)) return;
  const prototype = candidate as Consumer;
  patchMethod(prototype, 'processMessage', (processMessage: Method) => {
    return function (this: Consumer, message, ...rest) {
      const run = () => processMessage.call(this, message, ...rest);
      const delivery = source.deliver(queueOf(this));
      if (delivery === undefined) return run();
      source.guarded(() => messages.set(message as object, delivery));
      return untilEnd(delivery, run);
    };
  });
  patchMethod(prototype, 'deleteMessage', (deleteMessage: Method) => {
    return function (this: Consumer, message, ...rest) {
      const result = deleteMessage.call(this, message, ...rest);
      return followed(result, () => messages.get(message as object)?.succeed());
    };
  });
  patchMethod(prototype, 'processMessageBatch', (processBatch: Method) => {
    return function (this: Consumer, batch, ...rest) {
      const run = () => processBatch.call(this, batch, ...rest);
      const delivery = source.deliver(queueOf(this));
      if (delivery === undefined) return run();
      source.guarded(() => batches.set(this, { delivery, size: (batch as unknown[]).length }));
      return untilEnd(delivery, run);
    };
  });
  patchMethod(prototype, 'deleteMessageBatch', (deleteBatch: Method) => {
    return function (this: Consumer, acknowledged, ...rest) {
      const result = deleteBatch.call(this, acknowledged, ...rest);
      return followed(result, (deleted) => {
        const batch = batches.get(this);
        // those that were deleted, where the client gives them
        const { length } = (Array.isArray(deleted) ? deleted : acknowledged) as unknown[];
        if (batch !== undefined && length >= batch.size) batch.delivery.succeed();
      });
    };
  });
}

/** Last part of the queue's address. */
function queueOf({ queueUrl }: Consumer): string {
  return String(queueUrl).split('/').at(-1) as string;
}

/** Without an answer until the client is done with it, a message is a failure. */
function untilEnd(delivery: Delivery, run: () => unknown): unknown {
  return followHandler({ onEnd: () => delivery.fail(), onError: () => delivery.fail() }, run);
}

function followed(result: unknown, onDone: (value: unknown) => void): unknown {
  if (!types.isPromise(result)) return result;
  return (
    followPromise(
      result,
      (value) => source.guarded(() => onDone(value)),
      () => undefined,
    ) ?? result
  );
}
