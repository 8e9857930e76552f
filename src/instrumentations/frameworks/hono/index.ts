/**
 * Reports the route template of Hono 3 and 4, with the prefixes of `route`, `basePath` and `mount`.
 *
 * Hono's `fetch` and its matching are out of reach from outside. But every handler gets to its router by `add`, with its
 * whole path: there it is replaced by one that remembers the context of the request, and at the end of the request the
 * route is chosen from what the router had matched. What Hono shows of its routes stays as it is.
 */
import { observes } from '../../../diagnostics/observed';
import { routeFailed, routeStateOf, setRouteState } from '../../inbound/routes';
import type { Instrumentation } from '../../instrumentation';
import { onEsModuleLoaded } from '../../patching/es-module-load';
import { onFileLoaded } from '../../patching/module-load';
import { patchMethod } from '../../patching/patch';
import { type HonoContext, HonoRoute, NAME } from './hono-route';
import { nodeRequestOf } from './node-request';
import { type Handler, mountHandlers, type Route } from './route-choice';

interface Router {
  add(method: string, path: string, value: unknown): unknown;
  match(method: string, path: string): unknown;
}

interface HonoPrototype {
  mount(...args: unknown[]): unknown;
  route(...args: unknown[]): unknown;
  basePath(...args: unknown[]): unknown;
}

/** Where the classes stand, without the package's folder, which an alias may rename; the exports are checked. */
const BASE_FILE = '/dist/cjs/hono-base.js';
const ROUTERS = {
  SmartRouter: 'smart-router',
  RegExpRouter: 'reg-exp-router',
  TrieRouter: 'trie-router',
  LinearRouter: 'linear-router',
  PatternRouter: 'pattern-router',
};
/** In an ES module the base is named as it is exported elsewhere. */
const BASE_NAME = 'Hono';

/** What is patched stays so, and passes calls through: a later start() finds it. */
const patched = new WeakSet<object>();
/** Handlers of ours, which routers hand on to each other. */
const remembering = new WeakSet<object>();
/** Whether the handler that is being added is that of `mount`. */
let isMounting = false;
let isEnabled = false;

export function createHonoInstrumentation(): Instrumentation {
  let undo: (() => void)[] = [];
  return {
    name: NAME,
    enable() {
      isEnabled = true;
      undo = [
        onFileLoaded(BASE_FILE, (exported) => patchBase(classOf(exported, 'HonoBase'))),
        ...Object.entries(ROUTERS).map(([name, folder]) =>
          onFileLoaded(`/dist/cjs/router/${folder}/router.js`, (exported) => patchRouter(classOf(exported, name))),
        ),
        onEsModuleLoaded(NAME, (locals) => {
          patchBase(prototypeOf(locals[BASE_NAME]?.get()));
          for (const name of Object.keys(ROUTERS)) patchRouter(prototypeOf(locals[name]?.get()));
        }),
      ];
    },
    disable() {
      isEnabled = false;
      for (const end of undo) end();
    },
    observe: patchRouter,
  };
}

function classOf(exported: unknown, name: string): unknown {
  return prototypeOf((exported as Record<string, unknown> | undefined)?.[name]);
}

function prototypeOf(candidate: unknown): unknown {
  return typeof candidate === 'function' ? candidate.prototype : undefined;
}

/** Has the handlers of `mount` told apart from middleware, which they look like. */
function patchBase(prototype: unknown): void {
  if (!hasMethods<HonoPrototype>(prototype, 'mount', 'route', 'basePath')) return;
  patchMethod(
    prototype,
    'mount',
    (mount) =>
      function (this: unknown, ...args) {
        isMounting = true;
        try {
          return mount.apply(this, args);
        } finally {
          isMounting = false;
        }
      },
  );
}

/** @param prototype of any object with the name of a router */
export function patchRouter(prototype: unknown): void {
  if (!hasMethods<Router>(prototype, 'add', 'match')) return;
  observes(NAME);
  patchMethod(
    prototype,
    'add',
    (add) =>
      function (this: unknown, method, path, value, ...rest) {
        return add.call(this, method, path, isEntry(value) ? [remember(value), value[1]] : value, ...rest);
      },
  );
}

/** Once for each prototype. */
function hasMethods<Target extends object>(prototype: unknown, ...names: readonly string[]): prototype is Target {
  if (typeof prototype !== 'object' || prototype === null || patched.has(prototype)) return false;
  if (names.some((name) => typeof (prototype as Record<string, unknown>)[name] !== 'function')) return false;
  patched.add(prototype);
  return true;
}

/** What Hono has its routers find, from 3.11 on: a handler and the route that it was made for. */
function isEntry(value: unknown): value is readonly [Handler, Route] {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [handler, route] = value as [unknown, Partial<Route> | undefined];
  return typeof handler === 'function' && !remembering.has(handler) && route?.handler === handler;
}

/** First: a matched handler, or middleware, is about to run; of several the first that does is enough. */
function remember([handler]: readonly [Handler, Route]): Handler {
  if (isMounting) mountHandlers.add(handler);
  const observed: Handler = function (this: unknown, context, next) {
    if (isEnabled) link(context as HonoContext);
    return handler.call(this, context, next);
  };
  remembering.add(observed);
  return observed;
}

/** Does not throw. */
function link(context: HonoContext): void {
  try {
    const request = nodeRequestOf(context);
    if (request === undefined) return;
    const state = routeStateOf(request);
    if (!(state instanceof HonoRoute)) setRouteState(request, new HonoRoute(context, request));
    else if (state.context !== context) state.enter(context);
  } catch (error) {
    routeFailed(NAME, error);
  }
}
