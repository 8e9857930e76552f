/**
 * Messages of nats 2, and of @nats-io/nats-core 3 and @nats-io/jetstream 3, into which it was divided: subscriptions of the
 * core, by callback and by iterator, and what JetStream delivers.
 *
 * The core knows no acknowledgement: the callback's end decides, or the loop's return for the next message. What the
 * client subscribes to for itself, for replies and service statistics, is no message.
 */

import type { Instrumentation } from '../../instrumentation';
import { observeResult } from '../../patching/observe-result';
import { patchMethod } from '../../patching/patch';
import { ConsumerSource, type Delivery, type FilePatches, followHandler, handlerDecides, ownerOf } from '../delivery';
import { type LoopIterator, observeLoop } from '../loop';
import { createJetStreamPatches, type JetStream } from './jetstream';

interface Message {
  readonly reply?: string;
  readonly data?: Uint8Array;
  readonly headers?: { readonly code?: number };
}

type Callback = (this: unknown, error: unknown, message: Message, ...rest: unknown[]) => unknown;

interface Connection {
  readonly options?: { readonly inboxPrefix?: string };
  readonly protocol?: object;
  jetstream(...args: unknown[]): object;
  jetstreamManager(...args: unknown[]): Promise<object>;
  subscribe(subject: string, options?: { callback?: Callback }, ...rest: unknown[]): object;
}

interface Queue {
  iterate(...args: unknown[]): LoopIterator;
}

const DEFAULT_INBOX = '_INBOX';
/** Names under which a service answers for its monitoring. */
const SERVICE_PREFIX = '$SRV.';
/** Where a message of JetStream wants its answer. */
const JETSTREAM_REPLY = '$JS.ACK.';

/** Subscriptions of the application, by the iterator that hands their messages over. */
const subjects = new WeakMap<object, string>();

const jetStream: JetStream = createJetStreamPatches(() => source);
const source: ConsumerSource = new ConsumerSource(
  'nats',
  {
    ...patchesOf('/lib/nats-base-client'),
    ...patchesOf('/nats-core/lib'),
    ...jetStream.patches,
  },
  patchBundledConnection,
);

export function createNatsInstrumentation(): Instrumentation {
  return source;
}

/** @param folder where a version of the client keeps its core */
function patchesOf(folder: string): FilePatches {
  return {
    [`${folder}/nats.js`]: (exported) =>
      patchConnection((exported as { NatsConnectionImpl?: { prototype?: object } }).NatsConnectionImpl?.prototype),
    [`${folder}/queued_iterator.js`]: (exported) =>
      patchIterator((exported as { QueuedIteratorImpl?: { prototype?: object } }).QueuedIteratorImpl?.prototype),
  };
}

/**
 * In a bundle only a connection can be had: its subscriptions lead to their iterators, and what it gives for JetStream
 * to the rest. The client itself subscribes in this way too, before it hands anything over.
 */
function patchBundledConnection(prototype: object): void {
  if (!patchConnection(prototype)) return;
  patchMethod(prototype, 'subscribe', (subscribe) => {
    return function (this: Connection, ...args) {
      const subscription = subscribe.apply(this, args);
      source.guarded(() => {
        patchIterator(ownerOf(subscription, 'iterate'));
        jetStream.patchProtocol(prototypeOf(this.protocol));
      });
      return subscription;
    };
  });
  for (const name of ['jetstream', 'jetstreamManager'] as const) {
    patchMethod(prototype as Connection, name, (open) => observeResult(open, patchJetStream));
  }
}

/** @param opened client or manager of JetStream */
function patchJetStream(opened: unknown): void {
  source.guarded(() => {
    const { consumers, consumerAPI } = opened as { consumers?: object; consumerAPI?: object };
    // a manager's consumers are the API itself; a client's are made with it, and give the consumer to pull from
    jetStream.patchConsumerApi(prototypeOf(consumerAPI ?? consumers));
    jetStream.patchConsumers(prototypeOf(consumers));
  });
}

function prototypeOf(target: object | undefined): object | undefined {
  return target === undefined ? undefined : Object.getPrototypeOf(target);
}

/** @returns whether it is a connection's prototype that had not been patched before */
function patchConnection(prototype: object | undefined): prototype is Connection {
  if (!source.claims(prototype, 'subscribe', 'publish', 'request')) return false;
  patchMethod(prototype as Connection, 'subscribe', (subscribe) => {
    return function (this: Connection, subject: string, options, ...rest) {
      if (!isOfApplication(this, subject)) return subscribe.call(this, subject, options, ...rest);
      const callback = options?.callback;
      if (typeof callback === 'function') {
        const observed = { ...options, callback: observedCallback(subject, callback) };
        return subscribe.call(this, subject, observed, ...rest);
      }
      const subscription = subscribe.call(this, subject, options, ...rest);
      subjects.set(subscription, subject);
      return subscription;
    };
  });
  return true;
}

function isOfApplication(connection: Connection, subject: unknown): boolean {
  const inbox = `${connection.options?.inboxPrefix ?? DEFAULT_INBOX}.`;
  return typeof subject === 'string' && !subject.startsWith(inbox) && !subject.startsWith(SERVICE_PREFIX);
}

function observedCallback(subject: string, callback: Callback): Callback {
  return function (this: unknown, error, message, ...rest) {
    const run = () => callback.call(this, error, message, ...rest);
    const delivery = error === null && isCoreMessage(message) ? source.deliver(subject) : undefined;
    return delivery === undefined ? run() : followHandler(handlerDecides(delivery), run);
  };
}

/** JetStream delivers over subscriptions of the core too, and says there how it is. */
function isCoreMessage(message: Message): boolean {
  if (message.reply?.startsWith(JETSTREAM_REPLY)) return false;
  return message.data?.length !== 0 || !message.headers?.code;
}

/** Every iterator of the client is made here, for the core and for JetStream. */
function patchIterator(prototype: object | undefined): void {
  if (!source.claims(prototype, 'iterate', 'push', 'stop')) return;
  patchMethod(prototype as Queue, 'iterate', (iterate) => {
    return function (this: Queue, ...args) {
      const iterator: LoopIterator = iterate.apply(this, args);
      source.guarded(() => {
        const subject = subjects.get(this);
        observeLoop(iterator, (value) => begin(value, subject));
      });
      return iterator;
    };
  });
}

/** @returns the delivery whose answer the loop gives; what JetStream delivers is answered by itself */
function begin(value: unknown, subject: string | undefined): Delivery | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (subject === undefined) {
    jetStream.handedOver(value);
    return undefined;
  }
  return isCoreMessage(value as Message) ? source.deliver(subject) : undefined;
}
