/**
 * Reports the route template of React Router 7 and 8 in framework mode, such as `/users/:id`, with the base name: of
 * servers by `react-router-serve`, and of the handlers that `@react-router/express` and `@react-router/node` create.
 *
 * These functions get the application's build, whose routes are a plain table, and give a handler that is called with
 * Node's request. Both are remembered, and a request is matched at its end, after its response.
 */

import { observes } from '../../../diagnostics/observed';
import { addRouteLookup, guarded, removeRouteLookup } from '../../inbound/routes';
import type { Instrumentation } from '../../instrumentation';
import { doNoHarm } from '../../patching/do-no-harm';
import { type EsModuleLocals, onEsModuleLoaded } from '../../patching/es-module-load';
import { onFileLoaded } from '../../patching/module-load';
import { observeResult } from '../../patching/observe-result';
import { imitate } from '../../patching/patch';
import { rawPath } from '../../request-target';
import { joinTemplates } from '../templates';
import { type BuiltRoute, RouteBranches } from './branches';

/** The part of what `react-router build` makes that is read. */
interface Build {
  readonly routes: Readonly<Record<string, BuiltRoute | undefined>>;
  /** With a slash at its beginning. */
  readonly basename?: string;
  /** How a browser asks for routes that it does not know yet. */
  readonly routeDiscovery?: { readonly manifestPath?: string };
}

/** One handler, and the build that it answers from, as soon as that is known. */
interface Handler {
  build: Build | undefined;
}

interface NodeRequest {
  readonly url?: string;
  /** Of Express, which takes mount paths off the other; React Router matches the whole. */
  readonly originalUrl?: string;
}

type AnyFunction = (...args: unknown[]) => unknown;
type CreateHandler = (options: { readonly build?: unknown }, ...rest: unknown[]) => unknown;

const NAME = 'react-router';
/**
 * As they are required, in CommonJS or, where Node can, as ES modules: `react-router-serve` 7 does so. Their exports cannot
 * be set one by one.
 */
const FILES = {
  '/@react-router/express/dist/index.js': 'createRequestHandler',
  '/@react-router/express/dist/index.mjs': 'createRequestHandler',
  '/@react-router/node/dist/index.js': 'createRequestListener',
  '/@react-router/node/dist/index.mjs': 'createRequestListener',
} as const;
const MANIFEST_PATH = '/__manifest';

const observed = new WeakSet<object>();
const handlers = new WeakMap<object, Handler>();
/** By the table of a build's routes; undefined for one that is not understood. */
const branches = new WeakMap<object, RouteBranches | undefined>();
let isEnabled = false;

export function createReactRouterInstrumentation(): Instrumentation {
  let undo: (() => void)[] = [];
  return {
    name: NAME,
    enable() {
      isEnabled = true;
      // it knows more than the route of Express, `*`, that leads to its handler
      addRouteLookup(reactRouterRoute, 'first');
      undo = [
        onEsModuleLoaded(NAME, observeModule),
        ...Object.entries(FILES).map(([file, name]) =>
          onFileLoaded(file, (exported, filename) => observeExports(exported, name, filename)),
        ),
      ];
    },
    // what is observed passes calls through: a later start() finds it
    disable() {
      isEnabled = false;
      removeRouteLookup(reactRouterRoute);
      for (const end of undo) end();
    },
  };
}

function observeModule({ createRequestHandler, createRequestListener }: EsModuleLocals): void {
  for (const local of [createRequestHandler, createRequestListener]) {
    const create = local?.get();
    if (typeof create !== 'function' || observed.has(create)) continue;
    local?.set(observeCreation(create as CreateHandler));
  }
}

/** Puts an object in the place of a file's exports, for those that require it from now on. */
function observeExports(exported: unknown, name: string, filename: string): void {
  const create = (exported as Record<string, unknown> | null)?.[name];
  const module = require.cache[filename];
  if (typeof create !== 'function' || observed.has(create) || module === undefined) return;
  module.exports = Object.defineProperties(Object.create(Object.getPrototypeOf(exported)), {
    ...Object.getOwnPropertyDescriptors(exported as object),
    [name]: { value: observeCreation(create as CreateHandler), writable: true, configurable: true, enumerable: true },
  });
}

/** Observes the handlers that a function creates. */
function observeCreation(create: CreateHandler): CreateHandler {
  observes(NAME);
  const creation: CreateHandler = function (this: unknown, options, ...rest) {
    const handler: Handler = { build: undefined };
    const given = doNoHarm(() => withBuildObserved(options, handler), ignore) ?? options;
    const made = create.call(this, given, ...rest);
    return typeof made === 'function' ? observeHandler(made as AnyFunction, handler) : made;
  };
  imitate(creation, create);
  observed.add(creation);
  return creation;
}

/** A build may be given by a function, which is called for each request. */
function withBuildObserved(options: { readonly build?: unknown }, handler: Handler): { readonly build?: unknown } {
  const build = options?.build;
  const take = (given: unknown) => {
    doNoHarm(() => {
      const routes = (given as Partial<Build> | undefined | null)?.routes;
      if (typeof routes === 'object' && routes !== null) handler.build = given as Build;
    }, ignore);
  };
  take(build);
  return typeof build === 'function' ? { ...options, build: observeResult(build as AnyFunction, take) } : options;
}

/** First: a request has come to a handler. */
function observeHandler(handle: AnyFunction, handler: Handler): AnyFunction {
  const observedHandle = function (this: unknown, ...args: unknown[]) {
    const [request] = args;
    if (isEnabled && typeof request === 'object' && request !== null) handlers.set(request, handler);
    return handle.apply(this, args);
  };
  imitate(observedHandle, handle);
  return observedHandle;
}

/** Last: its response has been sent. @returns undefined where it did not come to a handler, or matches no route */
function reactRouterRoute(request: object): string | undefined {
  const build = handlers.get(request)?.build;
  let route: string | undefined;
  if (build !== undefined) {
    guarded(NAME, () => {
      route = templateOf(build, request);
    });
  }
  return route;
}

/** @returns the template of what a request asked a build for; undefined where the build has no such route */
export function templateOf(
  { routes, basename = '/', routeDiscovery }: Build,
  request: NodeRequest,
): string | undefined {
  const path = pathOf(request);
  const base = basename.replace(/\/+$/, '');
  const own = path === undefined ? undefined : withoutBase(path, base);
  if (own === undefined) return undefined;
  const manifestPath = routeDiscovery?.manifestPath ?? MANIFEST_PATH;
  if (own === manifestPath) return base + manifestPath;
  const template = branchesOf(routes)?.match(pageOf(own));
  return template === undefined ? undefined : joinTemplates(base, template);
}

/** As React Router reads it; undefined where it cannot. */
function pathOf({ originalUrl, url }: NodeRequest): string | undefined {
  const path = rawPath(originalUrl ?? url ?? '');
  if (!path.startsWith('/')) return undefined;
  try {
    return new URL(`http://localhost${path}`).pathname;
  } catch {
    return undefined;
  }
}

/** Whatever the case of its letters; a path below another one has none of it. */
function withoutBase(path: string, base: string): string | undefined {
  if (path.slice(0, base.length).toLowerCase() !== base.toLowerCase()) return undefined;
  const own = path.slice(base.length);
  return own === '' || own.startsWith('/') ? own || '/' : undefined;
}

/** Of a request for the data of a page: `/users/1.data` is for `/users/1`, `/_root.data` for `/`. */
function pageOf(path: string): string {
  if (!path.endsWith('.data')) return path;
  const page = path.slice(0, -'.data'.length);
  return page === '/_root' ? '/' : page.replace(/\/_$/, '/');
}

function branchesOf(routes: Build['routes']): RouteBranches | undefined {
  if (!branches.has(routes)) {
    // first, so that one that is not understood is tried once
    branches.set(routes, undefined);
    branches.set(routes, new RouteBranches(routes));
  }
  return branches.get(routes);
}

function ignore(): void {}
