/**
 * `observe(module)`: hands in a package that cannot be found by its files, because it is part of a bundle.
 *
 * What a public module leads to is the prototype that a source patches: that of one of its classes, or that of the first
 * connection that it makes. Prototypes are kept with the state of the process, so that the exporter that runs, or starts
 * later, finds them, whichever copy of the package it belongs to.
 */
import { warn } from '../diagnostics/log';
import { sharedState } from '../shared-state';
import { doNoHarm } from './patching/do-no-harm';
import { observeResult } from './patching/observe-result';
import { patchMethod } from './patching/patch';

type AnyFunction = (...args: never[]) => unknown;
type AnyClass = abstract new (...args: never[]) => object;

/** The public module of a package that `observe` knows, by what it is recognized by. */
export type ObservableModule =
  /** amqplib, of either model: `require('amqplib')`, `require('amqplib/callback_api')`. */
  | { readonly connect: AnyFunction; readonly credentials: object }
  /** kafkajs. */
  | { readonly Kafka: AnyClass }
  /** bullmq. */
  | { readonly Worker: AnyClass; readonly Queue: AnyClass }
  /** mqtt. */
  | { readonly MqttClient: AnyClass }
  /** nats. */
  | { readonly connect: AnyFunction; readonly StringCodec: AnyFunction }
  /** koa. */
  | (new () => { readonly context: object })
  /** hono. */
  | { readonly Hono: AnyClass }
  /** h3. */
  | { readonly H3Event: AnyClass };

interface Exports {
  readonly [name: string]: unknown;
}

interface ModuleKind {
  /** Of the source. */
  readonly source: string;
  isModule(module: Exports): boolean;
  /** The prototype to patch; where there is none, that of the connections that `connect` makes is. */
  readonly prototypeOf?: (module: Exports) => unknown;
}

const KINDS: readonly ModuleKind[] = [
  {
    source: 'amqplib',
    isModule: ({ connect, credentials, IllegalOperationError }) =>
      areFunctions(connect, IllegalOperationError) && typeof credentials === 'object',
  },
  {
    source: 'nats',
    isModule: ({ connect, StringCodec, createInbox }) => areFunctions(connect, StringCodec, createInbox),
  },
  {
    source: 'kafkajs',
    isModule: ({ Kafka }) => hasPrototypeOf(Kafka, 'consumer', 'producer', 'admin'),
    prototypeOf: ({ Kafka }) => (Kafka as AnyClass).prototype,
  },
  {
    source: 'bullmq',
    isModule: ({ Worker }) => hasPrototypeOf(Worker, 'callProcessJob', 'processJob'),
    prototypeOf: ({ Worker }) => (Worker as AnyClass).prototype,
  },
  {
    source: 'mqtt',
    isModule: ({ MqttClient }) => hasPrototypeOf(MqttClient, 'handleMessage', 'subscribe', 'unsubscribe'),
    prototypeOf: ({ MqttClient }) => (MqttClient as AnyClass).prototype,
  },
  {
    source: 'koa',
    isModule: (module) => hasPrototypeOf(module, 'callback', 'createContext', 'handleRequest'),
    // an application's context inherits from the package's
    prototypeOf: (Koa) => Object.getPrototypeOf(new (Koa as unknown as new () => { context: object })().context),
  },
  {
    source: 'hono',
    isModule: ({ Hono }) => hasPrototypeOf(Hono, 'route', 'basePath', 'mount'),
    prototypeOf: ({ Hono }) => Object.getPrototypeOf(new (Hono as new () => { router: object })().router),
  },
  // the class of version 2 is in the first place, which has the other too
  {
    source: 'h3',
    isModule: ({ H3Core }) => hasPrototypeOf(H3Core, 'handler', 'fetch'),
    prototypeOf: ({ H3Core }) => (H3Core as AnyClass).prototype,
  },
  {
    source: 'h3',
    isModule: ({ H3Event, createApp }) => areFunctions(createApp) && hasPrototypeOf(H3Event, 'respondWith'),
    prototypeOf: ({ H3Event }) => (H3Event as AnyClass).prototype,
  },
];

/** What `observe` has returned, by module. */
const STAND_INS = new WeakMap<object, object>();
let isUnknownReported = false;

/**
 * Measures a client, or reports the routes of a framework, that is part of a bundle: amqplib (both models), kafkajs,
 * bullmq, mqtt, nats, koa, hono and h3. A package that is loaded from node_modules is found without it, and stays as it is.
 *
 * Call it with the whole module before the first connection is made, before or after `start()`, as often as you like,
 * and use what it returns: `const { connect } = observe(require('nats'))`. A module that is none of these is logged as
 * CHX_CLIENT_UNKNOWN, once, and left alone.
 * @param module what `require` or `import * as` gives
 * @returns the module; where its exports cannot be replaced, as with nats, an object that stands for it
 * @see docs/bundles.md
 */
export function observe<Module extends ObservableModule>(module: Module): Module {
  const known = isObject(module) ? STAND_INS.get(module) : undefined;
  const observed = known ?? doNoHarm(() => observeModule(module), ignore) ?? module;
  if (isObject(module)) STAND_INS.set(module, observed);
  return observed as Module;
}

/** Of an ES module with a default, that is the module itself. */
function observeModule(module: object): object {
  for (const exports of [(module as Exports | undefined)?.default, module]) {
    if (!isObject(exports)) continue;
    const kind = KINDS.find(({ isModule }) => doNoHarm(() => isModule(exports as Exports), ignore));
    if (kind === undefined) continue;
    if (kind.prototypeOf === undefined) return observeConnections(kind.source, module, exports);
    handIn(kind.source, kind.prototypeOf(exports as Exports));
    return module;
  }
  reportUnknown();
  return module;
}

/** Replaces `connect`, so that the first connection leads to its class; frozen exports are replaced as a whole. */
function observeConnections(source: string, module: object, exports: object): object {
  type Connecting = { connect: AnyFunction };
  let observed: unknown;
  // the package has been found; its sources see from the exports themselves that there is nothing to patch yet
  handIn(source, exports);
  doNoHarm(
    () =>
      patchMethod(exports as Connecting, 'connect', (connect) => {
        observed = observeResult(connect, (connection) => {
          if (isObject(connection)) handIn(source, Object.getPrototypeOf(connection));
        });
        return observed as AnyFunction;
      }),
    ignore,
  );
  if ((module as Connecting).connect === observed) return module;
  const standIn = Object.defineProperties(
    {},
    {
      ...Object.getOwnPropertyDescriptors(module),
      connect: { value: observed, writable: true, configurable: true, enumerable: true },
    },
  );
  STAND_INS.set(standIn, standIn);
  return standIn;
}

/** Gives a prototype to the sources of the exporter that runs, and to those of any that starts later. */
function handIn(source: string, prototype: unknown): void {
  if (!isObject(prototype)) return;
  const { observed, onObserved } = sharedState();
  if (observed.has(prototype)) return;
  observed.set(prototype, source);
  for (const listener of onObserved) doNoHarm(() => listener(prototype, source), ignore);
}

/** Nothing is logged where nothing is to be measured. */
function reportUnknown(): void {
  if (isUnknownReported) return;
  isUnknownReported = true;
  const report = () =>
    warn(
      'CHX_CLIENT_UNKNOWN',
      'observe',
      'observe() was given a module that is none of amqplib, kafkajs, bullmq, mqtt, nats, koa, hono and h3, so nothing of it is measured. Give it the whole module, or measure the handlers by consume(topic, worker).',
    );
  const { running, onStart } = sharedState();
  if (running !== undefined) report();
  else onStart.add(report);
}

function areFunctions(...candidates: readonly unknown[]): boolean {
  return candidates.every((candidate) => typeof candidate === 'function');
}

function hasPrototypeOf(candidate: unknown, ...methods: readonly string[]): boolean {
  if (typeof candidate !== 'function') return false;
  const prototype = candidate.prototype as Exports | undefined;
  return areFunctions(...methods.map((name) => prototype?.[name]));
}

function isObject(candidate: unknown): candidate is object {
  return (typeof candidate === 'object' && candidate !== null) || typeof candidate === 'function';
}

function ignore(): void {}
