/**
 * Messages of mqtt 5 (MQTT.js), of every quality of service.
 *
 * A message is handled when its listeners have ended and the client has done with it: `handleMessage` has called back
 * and, where there is one, the acknowledgement has been sent. Its topic is the subscription that it matches, because
 * the topics of messages have no bound.
 */
import { types } from 'node:util';
import type { Instrumentation } from '../../instrumentation';
import { patchMethod } from '../../patching/patch';
import { ConsumerSource, type Delivery, type FilePatches } from '../delivery';
import { emitFollowed, isCapturing, type Parts } from '../listeners';
import { isSubscribedBy } from './filter';

type Listener = (this: unknown, ...args: unknown[]) => unknown;
type Done = (error?: unknown, ...rest: unknown[]) => unknown;
type HandlePacket = (client: Client, packet: Packet, done?: Done, ...rest: unknown[]) => unknown;

interface Client {
  emit(event: string, ...args: unknown[]): boolean;
  rawListeners(event: string): Listener[];
  subscribe(topics: unknown, ...rest: unknown[]): unknown;
  unsubscribe(topics: unknown, ...rest: unknown[]): unknown;
  handleMessage(packet: Packet, done: Done): unknown;
}

interface Packet {
  readonly cmd?: string;
  readonly topic?: unknown;
  readonly qos?: number;
  readonly messageId?: number;
}

/** What a client has subscribed to, and what it has not done with yet. */
interface ClientState {
  readonly filters: Set<string>;
  readonly messages: Map<Packet, Message>;
  /** Messages of QoS 2 by identifier: the release that ends them is a packet of its own. */
  readonly toRelease: Map<number, Message>;
}

const EXACTLY_ONCE = 2;

const states = new WeakMap<Client, ClientState>();

/** What takes the place of a client's `handleMessage`. */
const observedHandlers = new WeakSet<object>();

const source = new ConsumerSource(
  'mqtt',
  { ...patchesOf('/build/lib'), ...patchesOf('/build/src/lib') },
  patchBundledClient,
);

export function createMqttInstrumentation(): Instrumentation {
  return source;
}

/** @param folder where a version of the client keeps its files; 5.0 has them elsewhere */
function patchesOf(folder: string): FilePatches {
  return {
    [`${folder}/client.js`]: (exported) =>
      patchClient((exported as { default?: { prototype?: object } }).default?.prototype),
    [`${folder}/handlers/publish.js`]: (exported) => patchHandler(exported, onPublish),
    [`${folder}/handlers/pubrel.js`]: (exported) => patchHandler(exported, onRelease),
  };
}

/** One message, which is handled when each of its parts has ended. */
class Message implements Parts {
  /** Whether the listeners have seen it; the application may refuse it before. */
  isHandedOver = false;
  private parts = 0;

  constructor(private readonly delivery: Delivery) {}

  begin(): void {
    this.parts++;
  }

  end(): void {
    if (--this.parts === 0) this.delivery.succeed();
  }

  fail(): void {
    this.delivery.fail();
  }
}

/** @returns whether it is a client's prototype that had not been patched before */
function patchClient(prototype: object | undefined): prototype is Client {
  if (!source.claims(prototype, 'emit', 'subscribe', 'unsubscribe', 'handleMessage', 'rawListeners')) return false;
  patchMethod(prototype as Client, 'subscribe', (subscribe) => {
    return function (this: Client, topics, ...rest) {
      source.guarded(() => {
        for (const filter of filtersOf(topics)) stateOf(this).filters.add(filter);
      });
      return subscribe.call(this, topics, ...rest);
    };
  });
  patchMethod(prototype as Client, 'unsubscribe', (unsubscribe) => {
    return function (this: Client, topics, ...rest) {
      source.guarded(() => {
        for (const filter of filtersOf(topics)) stateOf(this).filters.delete(filter);
      });
      return unsubscribe.call(this, topics, ...rest);
    };
  });
  patchMethod(prototype as Client, 'emit', (emit) => {
    return function (this: Client, event, ...args) {
      if (event === 'message') return onMessage(this, args, () => emit.call(this, event, ...args));
      if (event === 'close') source.guarded(() => onClose(this));
      return emit.call(this, event, ...args);
    };
  });
  return true;
}

/**
 * In a bundle the handlers of packets cannot be reached. There the event of a packet is where a message comes, and
 * `handleMessage`, which the client calls after its listeners, where it ends: by its callback, without waiting for the
 * acknowledgement to be sent.
 */
function patchBundledClient(prototype: object): void {
  if (!patchClient(prototype)) return;
  patchMethod(prototype, 'emit', (emit) => {
    return function (this: Client, event, ...args) {
      if (event === 'packetreceive') source.guarded(() => onPacket(this, args[0] as Packet));
      return emit.call(this, event, ...args);
    };
  });
}

function onPacket(client: Client, packet: Packet): void {
  if (packet.cmd !== 'publish' && packet.cmd !== 'pubrel') return;
  // the application may set one of its own at any time
  if (!observedHandlers.has(client.handleMessage)) {
    patchMethod(client, 'handleMessage', observedHandleMessage);
    observedHandlers.add(client.handleMessage);
  }
  if (packet.cmd === 'publish' && packet.qos !== EXACTLY_ONCE) begin(client, packet);
}

function observedHandleMessage(handle: (packet: Packet, done: Done, ...rest: unknown[]) => unknown) {
  return function (this: Client, packet: Packet, done: Done, ...rest: unknown[]) {
    const observed: Done = (error, ...more) => {
      const message = states.get(this)?.messages.get(packet);
      if (message !== undefined) finish(this, packet, message, error);
      else source.guarded(() => release(this, packet, error));
      return done(error, ...more);
    };
    return handle.call(this, packet, observed, ...rest);
  };
}

/** The client calls these by what their module exports at the moment. */
function patchHandler(exported: unknown, make: (handle: HandlePacket) => HandlePacket): void {
  const handlers = exported as { default: HandlePacket };
  if (!source.claims(handlers, 'default')) return;
  patchMethod(handlers, 'default', make);
}

/** First, for QoS 0 and 1: the message has come; the client has done with it when it calls back. */
function onPublish(handle: HandlePacket): HandlePacket {
  return (client, packet, done, ...rest) => {
    if (packet.qos === EXACTLY_ONCE) return handle(client, packet, done, ...rest);
    const message = begin(client, packet);
    if (message === undefined) return handle(client, packet, done, ...rest);
    const observed: Done = (error, ...more) => {
      finish(client, packet, message, error);
      return done?.(error, ...more);
    };
    return handle(client, packet, observed, ...rest);
  };
}

/** First, for QoS 2: the broker releases the message, whereupon it is handed over. */
function onRelease(handle: HandlePacket): HandlePacket {
  return (client, packet, done, ...rest) => {
    const observed: Done = (error, ...more) => {
      source.guarded(() => release(client, packet, error));
      return done?.(error, ...more);
    };
    return handle(client, packet, observed, ...rest);
  };
}

function begin(client: Client, packet: Packet): Message | undefined {
  const message = receive(client, packet);
  if (message === undefined) return undefined;
  stateOf(client).messages.set(packet, message);
  message.begin();
  return message;
}

function release(client: Client, { messageId }: Packet, error: unknown): void {
  const message = messageId === undefined ? undefined : states.get(client)?.toRelease.get(messageId);
  if (message === undefined || messageId === undefined) return;
  states.get(client)?.toRelease.delete(messageId);
  if (error) message.fail();
  else message.end();
}

/** Second: the listeners run, as `emit` runs them, and what they give is followed. */
function onMessage(client: Client, args: unknown[], emit: () => boolean): boolean {
  const packet = args[2] as Packet | undefined;
  const message = packet === undefined ? undefined : messageOf(client, packet);
  if (message !== undefined) message.isHandedOver = true;
  if (message === undefined || isCapturing(client)) return emit();
  return emitFollowed(client, 'message', args, message);
}

function messageOf(client: Client, packet: Packet): Message | undefined {
  const state = stateOf(client);
  const known = state.messages.get(packet);
  if (known !== undefined) return known;
  const message = receive(client, packet);
  if (message === undefined || packet.qos !== EXACTLY_ONCE || packet.messageId === undefined) return message;
  state.toRelease.set(packet.messageId, message);
  message.begin();
  return message;
}

function receive(client: Client, packet: Packet): Message | undefined {
  let delivery: Delivery | undefined;
  source.guarded(() => {
    delivery = source.deliver(topicOf(client, packet));
  });
  return delivery === undefined ? undefined : new Message(delivery);
}

/** Third: the client has done with the message and acknowledged it, or could not. */
function finish(client: Client, packet: Packet, message: Message, error: unknown): void {
  source.guarded(() => {
    states.get(client)?.messages.delete(packet);
    if (error || !message.isHandedOver) message.fail();
    else message.end();
  });
}

/** Last: the connection is gone; what the client still had to acknowledge comes again. */
function onClose(client: Client): void {
  const state = states.get(client);
  if (state === undefined) return;
  for (const [packet, message] of state.messages) {
    if (packet.qos === 0 && message.isHandedOver) continue;
    state.messages.delete(packet);
    message.fail();
  }
  for (const message of state.toRelease.values()) message.fail();
  state.toRelease.clear();
}

function stateOf(client: Client): ClientState {
  let state = states.get(client);
  if (state === undefined) {
    state = { filters: new Set(), messages: new Map(), toRelease: new Map() };
    states.set(client, state);
  }
  return state;
}

function topicOf(client: Client, packet: Packet): string {
  const topic = String(packet.topic ?? '');
  const { filters } = stateOf(client);
  if (filters.has(topic)) return topic;
  for (const filter of filters) if (isSubscribedBy(filter, topic)) return filter;
  return topic;
}

function filtersOf(topics: unknown): string[] {
  if (typeof topics === 'string') return [topics];
  if (Array.isArray(topics)) return topics.filter((topic) => typeof topic === 'string');
  if (typeof topics !== 'object' || topics === null || types.isPromise(topics)) return [];
  return Object.keys(topics).filter((key) => key !== 'resubscribe');
}
