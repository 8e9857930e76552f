/**
 * Messages of JetStream: handed over by an iterator or a callback, answered by `ack`, `ackAck`, `nak` or `term`.
 * `working` is no answer, it asks for more time.
 *
 * Their topic is the stream: names of consumers may be drawn at random. A message that is delivered again before its
 * answer has been given back by the server. What is left when the connection is closed has failed. Consumers without
 * acknowledgement are not measured.
 */
import { nowMs } from '../../../runtime/clock';
import { observeResult } from '../../patching/observe-result';
import { patchMethod } from '../../patching/patch';
import {
  type ConsumerSource,
  type Delivery,
  errorDecides,
  type FilePatches,
  followHandler,
  hasMethods,
  ownerOf,
} from '../delivery';

interface JsMessage {
  readonly info: { readonly stream: string; readonly consumer: string; readonly streamSequence: number };
  readonly msg?: { readonly publisher?: object };
  ack(): void;
  nak(...args: unknown[]): void;
  term(...args: unknown[]): void;
  ackAck(...args: unknown[]): Promise<boolean>;
}

type Callback = (this: unknown, message: object, ...rest: unknown[]) => unknown;

interface ConsumerInfo {
  readonly stream_name: string;
  readonly name: string;
  readonly config: { readonly ack_policy?: string };
}

type PatchPrototype = (prototype: object | undefined) => void;

export interface JetStream {
  readonly patches: FilePatches;
  /** What a connection in a bundle leads to, instead of files. */
  readonly patchProtocol: PatchPrototype;
  readonly patchConsumerApi: PatchPrototype;
  readonly patchConsumers: PatchPrototype;
  /** The application has been given a message, or something else that is none of JetStream. */
  handedOver(value: object): void;
}

/** A message that waits for its answer, in the order of the stream within its consumer. */
interface Waiting {
  readonly delivery: Delivery;
  readonly consumer: Map<number, Waiting>;
  readonly sequence: number;
}

/** Consumers whose way to acknowledge is remembered; it is asked for whenever one is opened. */
const MAX_POLICIES = 1_000;
const NO_ACKNOWLEDGEMENT = 'none';
/** What of it nobody answers: `flow_control` is between servers. */
const UNANSWERED = new Set([NO_ACKNOWLEDGEMENT, 'flow_control']);
const ALL_UP_TO = 'all';
const MESSAGE_METHODS = ['ack', 'nak', 'term', 'ackAck'] as const;

/** @param source of the client; it is made with these patches, and so comes after them */
export function createJetStreamPatches(source: () => ConsumerSource): JetStream {
  /** When a message came, for the few ways to hand it over that cannot be seen. */
  const arrivals = new WeakMap<object, number>();
  const waiting = new WeakMap<object, Waiting>();
  /** By connection, then by consumer, then by position in the stream. */
  const connections = new WeakMap<object, Map<string, Map<number, Waiting>>>();
  const policies = new Map<string, string>();
  let isBundled = false;

  /** First: the client makes a message of what the server has sent; it may wait in the client's own queue. */
  function patchMessageFile(exported: unknown): void {
    const { JsMsgImpl, toJsMsg } = exported as { JsMsgImpl?: { prototype?: object }; toJsMsg?: unknown };
    if (typeof toJsMsg !== 'function' || !patchMessage(JsMsgImpl?.prototype)) return;
    patchMethod(exported as { toJsMsg: (...args: unknown[]) => object }, 'toJsMsg', (create) => {
      return (...args) => {
        const message = create(...args);
        arrivals.set(message, nowMs());
        return message;
      };
    });
  }

  /** @returns whether it is a message's prototype that had not been patched before */
  function patchMessage(prototype: object | undefined): boolean {
    if (!source().claims(prototype, ...MESSAGE_METHODS)) return false;
    for (const [name, isSuccess] of [
      ['ack', true],
      ['nak', false],
      ['term', false],
    ] as const) {
      patchMethod(prototype as JsMessage, name, (send) => {
        return function (this: JsMessage, ...args) {
          const result = send.apply(this, args);
          answer(this, isSuccess);
          return result;
        };
      });
    }
    patchMethod(prototype as JsMessage, 'ackAck', (send) => {
      return function (this: JsMessage, ...args) {
        const confirmed: Promise<boolean> = send.apply(this, args);
        return confirmed.then(
          (isSent) => {
            if (isSent) answer(this, true);
            return isSent;
          },
          (error) => {
            answer(this, false);
            throw error;
          },
        );
      };
    });
    return true;
  }

  /** Second: the application has it. */
  function handedOver(message: object): void {
    if (isBundled) source().guarded(() => meet(message));
    const arrivedMs = arrivals.get(message);
    if (arrivedMs === undefined || waiting.has(message)) return;
    source().guarded(() => begin(message as JsMessage));
  }

  /** In a bundle a message is first seen when it is handed over. */
  function meet(message: object): void {
    if (arrivals.has(message) || waiting.has(message) || !hasMethods(message, ...MESSAGE_METHODS)) return;
    patchMessage(Object.getPrototypeOf(message));
    arrivals.set(message, nowMs());
  }

  function begin(message: JsMessage): void {
    const { stream, consumer, streamSequence: sequence } = message.info;
    const policy = policies.get(`${stream} ${consumer}`);
    if (policy !== undefined && UNANSWERED.has(policy)) {
      arrivals.delete(message);
      return;
    }
    const delivery = source().deliver(stream);
    const connection = message.msg?.publisher;
    if (delivery === undefined || connection === undefined) return;
    const consumers = getOrCreate(connections, connection, () => new Map<string, Map<number, Waiting>>());
    const own = getOrCreate(consumers, `${stream} ${consumer}`, () => new Map<number, Waiting>());
    // the server waits no longer for the answer to the earlier one
    own.get(sequence)?.delivery.fail();
    const entry = { delivery, consumer: own, sequence };
    waiting.set(message, entry);
    // where nothing is known of the consumer, perhaps nobody ever answers
    if (policy !== undefined) own.set(sequence, entry);
  }

  /** Third: the answer has been sent. */
  function answer(message: JsMessage, isSuccess: boolean): void {
    source().guarded(() => {
      const entry = waiting.get(message);
      const arrivedMs = arrivals.get(message);
      arrivals.delete(message);
      if (entry === undefined) {
        if (arrivedMs === undefined) return;
        const delivery = source().deliver(message.info.stream, arrivedMs);
        if (isSuccess) delivery?.succeed();
        else delivery?.fail();
        return;
      }
      const { delivery, consumer, sequence } = entry;
      if (consumer.get(sequence) === entry) consumer.delete(sequence);
      if (isSuccess) delivery.succeed();
      else delivery.fail();
      if (!isSuccess || policies.get(`${message.info.stream} ${message.info.consumer}`) !== ALL_UP_TO) return;
      for (const earlier of consumer.values()) {
        if (earlier.sequence >= sequence) continue;
        consumer.delete(earlier.sequence);
        earlier.delivery.succeed();
      }
    });
  }

  /** Last: the connection is closed for good; over a mere interruption, answers are sent later. */
  function patchProtocol(prototype: object | undefined): void {
    // nats 2 has both, and closes by the second for itself
    const name = hasMethods(prototype, '_close') ? '_close' : 'close';
    if (!source().claims(prototype, name, 'processMsg')) return;
    patchMethod(prototype as Record<typeof name, Callback>, name, (close) => {
      return function (this: object, ...args) {
        source().guarded(() => {
          for (const consumer of connections.get(this)?.values() ?? []) {
            for (const { delivery } of consumer.values()) delivery.fail();
          }
          connections.delete(this);
        });
        return close.apply(this, args);
      };
    });
  }

  /** How a consumer acknowledges is known when it is opened. */
  function patchConsumerApi(prototype: object | undefined): void {
    type Api = Record<'add' | 'info', (...args: unknown[]) => Promise<ConsumerInfo>>;
    if (!source().claims(prototype, 'add', 'info')) return;
    for (const name of ['add', 'info'] as const) {
      patchMethod(prototype as Api, name, (ask) => {
        return async function (this: unknown, ...args) {
          const info: ConsumerInfo = await ask.apply(this, args);
          source().guarded(() => {
            if (policies.size >= MAX_POLICIES) policies.delete(policies.keys().next().value as string);
            policies.set(`${info.stream_name} ${info.name}`, info.config.ack_policy ?? NO_ACKNOWLEDGEMENT);
          });
          return info;
        };
      });
    }
  }

  /** In a bundle the consumers that a client gives lead to their class. */
  function patchConsumers(prototype: object | undefined): void {
    isBundled = true;
    if (!source().claims(prototype, 'get')) return;
    patchMethod(prototype as { get: () => unknown }, 'get', (get) =>
      observeResult(get, (consumer) => source().guarded(() => patchConsumer(ownerOf(consumer, 'consume')))),
    );
  }

  function patchConsumer(prototype: object | undefined): void {
    type Consumer = { consume: (options?: { callback?: Callback }, ...rest: unknown[]) => unknown };
    if (!source().claims(prototype, 'consume', 'info')) return;
    patchMethod(prototype as Consumer, 'consume', (consume) => {
      return function (this: unknown, options, ...rest) {
        const callback = options?.callback;
        if (typeof callback !== 'function') return consume.call(this, options, ...rest);
        return consume.call(this, { ...options, callback: observedCallback(callback) }, ...rest);
      };
    });
  }

  function observedCallback(callback: Callback): Callback {
    return function (this: unknown, message, ...rest) {
      handedOver(message);
      const entry = waiting.get(message);
      const run = () => callback.call(this, message, ...rest);
      if (entry === undefined) return run();
      const { delivery, consumer, sequence } = entry;
      return followHandler(
        errorDecides(delivery, () => consumer.get(sequence) === entry && consumer.delete(sequence)),
        run,
      );
    };
  }

  return {
    patches: {
      '/lib/jetstream/jsmsg.js': patchMessageFile,
      '/lib/jetstream/jsmconsumer_api.js': ofClass('ConsumerAPIImpl', patchConsumerApi),
      // where earlier versions of nats 2 have them
      '/lib/nats-base-client/jsmsg.js': patchMessageFile,
      '/lib/nats-base-client/jsmconsumer_api.js': ofClass('ConsumerAPIImpl', patchConsumerApi),
      '/lib/jetstream/consumer.js': ofClass('PullConsumerImpl', patchConsumer),
      '/lib/nats-base-client/protocol.js': ofClass('ProtocolHandler', patchProtocol),
      // the packages that nats 2 has been divided into
      '/jetstream/lib/jsmsg.js': patchMessageFile,
      '/jetstream/lib/jsmconsumer_api.js': ofClass('ConsumerAPIImpl', patchConsumerApi),
      '/jetstream/lib/consumer.js': ofClass('PullConsumerImpl', patchConsumer),
      '/jetstream/lib/pushconsumer.js': ofClass('PushConsumerImpl', patchConsumer),
      '/nats-core/lib/protocol.js': ofClass('ProtocolHandler', patchProtocol),
    },
    patchProtocol,
    patchConsumerApi,
    patchConsumers,
    handedOver,
  };
}

/** Patches a class that a file exports under this name. */
function ofClass(name: string, patch: PatchPrototype): (exported: unknown) => void {
  return (exported) => patch((exported as Record<string, { prototype?: object } | undefined>)[name]?.prototype);
}

function getOrCreate<Key, Value>(
  map: { get(key: Key): Value | undefined; set(key: Key, value: Value): unknown },
  key: Key,
  create: () => Value,
): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const value = create();
  map.set(key, value);
  return value;
}
