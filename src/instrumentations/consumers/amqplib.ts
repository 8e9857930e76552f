/**
 * Messages consumed through amqplib 0.10 to 2, in its promise and its callback model, and so through
 * amqp-connection-manager and rascal.
 *
 * A delivery is answered on its channel by its delivery tag, by whom and when ever: the channel keeps what is not
 * answered yet, as the broker does. Whatever is left when the channel is closed goes back to the queue: failures.
 *
 * A message that is fetched by `get` is delivered when it has come. Without acknowledgement nobody handles it where one
 * could see it, and to the broker it is done: a success at once.
 */

import type { Instrumentation } from '../instrumentation';
import { observeResult } from '../patching/observe-result';
import { patchMethod } from '../patching/patch';
import { ConsumerSource, type Delivery, errorDecides, followHandler, handlerDecides, ownerOf } from './delivery';

interface Message {
  readonly fields: { readonly deliveryTag: number };
}

type Handler = (this: unknown, message: Message | null, ...rest: unknown[]) => unknown;

type Options = { noAck?: unknown } | null;

interface Channel {
  consume(queue: string, handler: Handler, options?: Options, ...rest: unknown[]): unknown;
  get(queue: string, options?: Options, ...rest: unknown[]): unknown;
  ack(message: Message, allUpTo?: boolean): unknown;
  nack(message: Message, allUpTo?: boolean, requeue?: boolean): unknown;
  reject(message: Message, requeue?: boolean): unknown;
  ackAll(): unknown;
  nackAll(requeue?: boolean): unknown;
  _rpc(...args: unknown[]): unknown;
  toClosed(...args: unknown[]): unknown;
}

type Answer = (delivery: Delivery) => void;

/** Stands for every queue that the broker has named: such names are new with each connection. */
const SERVER_NAMED = '(server-named)';
const SERVER_NAME_PREFIX = 'amq.gen-';

/** Class 60, method 110 of AMQP 0-9-1, as amqplib numbers methods. */
const BASIC_RECOVER = (60 << 16) | 110;
const METHODS = ['consume', 'get', 'ack', 'nack', 'reject', 'ackAll', 'nackAll', '_rpc', 'toClosed'] as const;

/** By delivery tag, which rises: the oldest stands first. */
type Waiting = Map<number, Delivery>;
type Both = readonly [consumed: Waiting, fetched: Waiting];

/**
 * What is not answered yet. It outlives the exporter as the source does; a delivery that is answered later counts for
 * the exporter that ran when it came, or for none. What was fetched stands by itself: its promise is fulfilled a moment
 * later, when a message with a higher tag may have been delivered.
 */
const unanswered = new WeakMap<Channel, Both>();
const closed = new WeakSet<Channel>();

const succeed: Answer = (delivery) => delivery.succeed();
const fail: Answer = (delivery) => delivery.fail();

const source = new ConsumerSource(
  'amqplib',
  { '/lib/channel_model.js': patchFile, '/lib/callback_model.js': patchFile },
  patchModel,
);

export function createAmqplibInstrumentation(): Instrumentation {
  return source;
}

/** Both models export their channel; the one with confirmations inherits from it. */
function patchFile(exported: unknown): void {
  patchChannel((exported as { Channel?: { prototype?: Channel } }).Channel?.prototype);
}

/** Where the files cannot be seen, the first channel that a connection of either model opens leads to its class. */
function patchModel(model: object): void {
  if (!source.claims(model, 'createChannel', 'createConfirmChannel')) return;
  for (const name of ['createChannel', 'createConfirmChannel'] as const) {
    patchMethod(model as Record<typeof name, () => unknown>, name, (create) => observeResult(create, patchClassOf));
  }
}

function patchClassOf(channel: unknown): void {
  source.guarded(() => patchChannel(ownerOf(channel, 'consume')));
}

function patchChannel(candidate: object | undefined): void {
  if (!source.claims(candidate, ...METHODS)) return;
  const prototype = candidate as Channel;
  patchMethod(prototype, 'consume', (consume) => {
    return function (this: Channel, queue: string, handler: Handler, options, ...rest) {
      const isMeasured = typeof handler === 'function';
      const observed = isMeasured ? observedHandler(this, topicOf(queue), handler, Boolean(options?.noAck)) : handler;
      return consume.call(this, queue, observed, options, ...rest);
    };
  });
  patchMethod(prototype, 'get', (get) => {
    return function (this: Channel, queue: string, options, ...rest) {
      const isUnacknowledged = Boolean(options?.noAck);
      const onResult = (result: unknown) => source.guarded(() => onFetched(this, queue, result, isUnacknowledged));
      return observeResult(get, onResult).call(this, queue, options, ...rest);
    };
  });
  // an answer counts once it has been sent: on a closed channel these throw
  patchMethod(prototype, 'ack', (ack) => {
    return function (this: Channel, message: Message, allUpTo, ...rest) {
      const result = ack.call(this, message, allUpTo, ...rest);
      answer(this, message, Boolean(allUpTo), succeed);
      return result;
    };
  });
  patchMethod(prototype, 'nack', (nack) => {
    return function (this: Channel, message: Message, allUpTo, ...rest) {
      const result = nack.call(this, message, allUpTo, ...rest);
      answer(this, message, Boolean(allUpTo), fail);
      return result;
    };
  });
  patchMethod(prototype, 'reject', (reject) => {
    return function (this: Channel, message: Message, ...rest) {
      const result = reject.call(this, message, ...rest);
      answer(this, message, false, fail);
      return result;
    };
  });
  patchMethod(prototype, 'ackAll', (ackAll) => {
    return function (this: Channel, ...args) {
      const result = ackAll.apply(this, args);
      answerAll(this, succeed);
      return result;
    };
  });
  patchMethod(prototype, 'nackAll', (nackAll) => {
    return function (this: Channel, ...args) {
      const result = nackAll.apply(this, args);
      answerAll(this, fail);
      return result;
    };
  });
  patchMethod(prototype, '_rpc', observedRpc);
  patchMethod(prototype, 'toClosed', (toClosed) => {
    return function (this: Channel, ...args) {
      closed.add(this);
      answerAll(this, fail);
      return toClosed.apply(this, args);
    };
  });
}

function topicOf(queue: unknown): string {
  // the empty name stands for the queue that was declared last
  if (queue === '' || queue === undefined || queue === null) return SERVER_NAMED;
  const name = String(queue);
  return name.startsWith(SERVER_NAME_PREFIX) ? SERVER_NAMED : name;
}

/** First: a message has been delivered; without one, the broker has cancelled the consumer. */
function observedHandler(channel: Channel, topic: string, handler: Handler, isUnacknowledged: boolean): Handler {
  return function (this: unknown, message, ...rest) {
    const run = () => handler.call(this, message, ...rest);
    const delivery = message === null ? undefined : source.deliver(topic);
    if (message === null || delivery === undefined) return run();
    if (isUnacknowledged) return followHandler(handlerDecides(delivery), run);
    const { deliveryTag } = message.fields;
    const [consumed] = waitingOf(channel);
    consumed.set(deliveryTag, delivery);
    return followHandler(
      errorDecides(delivery, () => consumed.delete(deliveryTag)),
      run,
    );
  };
}

/** First, without a handler: `get` has given a message; false where the queue is empty, a channel beside its callback. */
function onFetched(channel: Channel, queue: unknown, result: unknown, isUnacknowledged: boolean): void {
  const deliveryTag = (result as Partial<Message> | null | undefined)?.fields?.deliveryTag;
  const delivery = deliveryTag === undefined ? undefined : source.deliver(topicOf(queue));
  if (deliveryTag === undefined || delivery === undefined) return;
  if (isUnacknowledged) delivery.succeed();
  else if (closed.has(channel)) delivery.fail();
  else waitingOf(channel)[1].set(deliveryTag, delivery);
}

function waitingOf(channel: Channel): Both {
  let waiting = unanswered.get(channel);
  if (waiting === undefined) {
    waiting = [new Map(), new Map()];
    unanswered.set(channel, waiting);
  }
  return waiting;
}

/** Second: the application has answered, for this message or for all up to it. */
function answer(channel: Channel, message: Message, isUpTo: boolean, how: Answer): void {
  source.guarded(() => {
    const { deliveryTag } = message.fields;
    for (const waiting of unanswered.get(channel) ?? []) {
      if (isUpTo) answerUpTo(waiting, deliveryTag, how);
      else answerOne(waiting, deliveryTag, how);
    }
  });
}

function answerOne(waiting: Waiting, deliveryTag: number, how: Answer): void {
  const delivery = waiting.get(deliveryTag);
  waiting.delete(deliveryTag);
  if (delivery !== undefined) how(delivery);
}

function answerUpTo(waiting: Waiting, deliveryTag: number, how: Answer): void {
  for (const [tag, delivery] of waiting) {
    if (tag > deliveryTag) break;
    waiting.delete(tag);
    how(delivery);
  }
}

/** Last: everything that was left, by one answer or by the end of the channel. */
function answerAll(channel: Channel, how: Answer): void {
  source.guarded(() => {
    const both = unanswered.get(channel) ?? [];
    unanswered.delete(channel);
    for (const waiting of both) for (const delivery of waiting.values()) how(delivery);
  });
}

/**
 * `recover`: the broker takes everything back that is not answered, and delivers it anew after its reply. Both may come
 * in one chunk, so the reply is taken as it arrives and not from the promise that it fulfils.
 */
function observedRpc(rpc: (...args: unknown[]) => unknown): (this: Channel, ...args: unknown[]) => unknown {
  return function (this: Channel, method, fields, expected, callback, ...rest) {
    if (method !== BASIC_RECOVER || typeof callback !== 'function') {
      return rpc.call(this, method, fields, expected, callback, ...rest);
    }
    const observed = (error: unknown, ...values: unknown[]) => {
      if (error === null) answerAll(this, fail);
      return callback(error, ...values);
    };
    return rpc.call(this, method, fields, expected, observed, ...rest);
  };
}
