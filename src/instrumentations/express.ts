/**
 * Lends http-inbound the route template of Express 4 and 5 (and of the package `router`), with every mount prefix.
 * It records nothing itself.
 *
 * Express keeps no template of a mount path, and `req.baseUrl` holds the concrete one. So the router's `use` and
 * `route` are patched in place to remember, for each layer they create, its router and path; the layer's
 * `handle_request` then follows a request: a mount layer notes the prefix under which the next router runs, a route
 * layer notes the whole template. The error handlers that run later find it unchanged.
 *
 * In a bundle there is no file to patch. There the router is found through the application: as the listener of the
 * server at its first request, or as `req.app` at the end of one. What was made until then is read from its layers.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Server } from 'node:http';
import { warn } from '../diagnostics/log';
import { type App, routeInApp, routerOf } from './express-app';
import {
  foundLayerPath,
  joinTemplates,
  type Layer,
  type LayerPath,
  layerPath,
  matchedTemplate,
  mountedPaths,
  mountPath,
  type PathOptions,
  type Router,
} from './express-layers';
import type { Instrumentation } from './instrumentation';
import { offFileLoaded, onFileLoaded } from './module-load';
import { imitate } from './patch';
import { rawPath } from './request-target';
import { addRouteLookup, guarded, keepNotes, notesOf, type RouteNotes, removeRouteLookup, routeFailed } from './routes';

interface RouterPrototype {
  use(this: Router, ...args: unknown[]): unknown;
  route(this: Router, path: unknown): unknown;
  handle(this: Router, request: Request, ...rest: unknown[]): unknown;
}

interface Request {
  url?: string;
  originalUrl?: string;
  baseUrl?: string;
  route?: unknown;
  app?: App;
}

/** How far a request has come. */
class Progress implements RouteNotes {
  /** Prefix of the router that is entered next; undefined where a mount path on the way is not known. */
  prefix: string | undefined = '';
  /** The route that was reported last. */
  route: unknown;
  /** The router that was entered last. */
  entered: Entered | undefined;

  constructor(public template: string | undefined) {}

  /** How the request entered a router the last time. */
  into(router: Router): Entered | undefined {
    let { entered } = this;
    while (entered !== undefined && entered.router !== router) entered = entered.before;
    return entered;
  }
}

/** A router as a request entered it. */
interface Entered {
  readonly router: Router;
  /** The router that was entered before. */
  readonly before: Entered | undefined;
  /** Template of its mount path, from the root. */
  readonly prefix: string | undefined;
  /** The concrete text of the same, as in `req.baseUrl`. */
  readonly baseUrl: string;
}

const NAME = 'express';
const REQUEST_START = 'http.server.request.start';
/** Layers' methods that run a handler, of Express 4 and 5, and which of their arguments is the request. */
const HANDLE_METHODS = { handle_request: 0, handleRequest: 0, handle_error: 1, handleError: 1 } as const;
/**
 * The router of Express 4, `express/lib/router/index.js`, and the package `router` of Express 5. Both may be installed
 * under another name, so what is loaded must also look like one.
 */
const FILE = '/router/index.js';

const layerPaths = new WeakMap<object, LayerPath>();
const patchedLayers = new WeakSet<object>();
const patchedRouters = new WeakSet<object>();
/** Routers whose every layer is known. */
const notedRouters = new WeakSet<object>();
const seenServers = new WeakSet<object>();
let isEnabled = false;

export function createExpressInstrumentation(): Instrumentation {
  return {
    name: NAME,
    enable() {
      isEnabled = true;
      addRouteLookup(routeAtTheEnd);
      onFileLoaded(FILE, patchRouter);
      subscribe(REQUEST_START, onRequestStart);
    },
    disable() {
      isEnabled = false;
      removeRouteLookup(routeAtTheEnd);
      offFileLoaded(FILE);
      unsubscribe(REQUEST_START, onRequestStart);
    },
  };
}

/** Express 4 keeps the methods on the exported function itself, the package router on its prototype. */
function patchRouter(exported: unknown): void {
  const target = [exported, (exported as { prototype?: unknown } | null)?.prototype].find(isRouterPrototype);
  if (target === undefined || patchedRouters.has(target)) return;
  patchedRouters.add(target);

  const { use, route, handle } = target;
  target.use = function (...args) {
    const before = this.stack?.length ?? 0;
    const result = use.apply(this, args);
    guarded(NAME, () => noteLayers(this, before, mountPath(args), { end: false, strict: false }));
    return result;
  };
  target.route = function (path) {
    const before = this.stack?.length ?? 0;
    const result = route.call(this, path);
    guarded(NAME, () => noteLayers(this, before, path, { end: true, strict: this.strict }));
    return result;
  };
  target.handle = function (...args) {
    if (isEnabled) enterRouter(this, args[0]);
    return handle.apply(this, args);
  };
  imitate(target.use, use);
  imitate(target.route, route);
  imitate(target.handle, handle);
}

/** A router made by Express has the methods too, but not as its own. */
function isRouterPrototype(value: unknown): value is RouterPrototype {
  return (
    typeof value === 'function' &&
    ['use', 'route', 'handle', 'param'].every(
      (name) => typeof Object.getOwnPropertyDescriptor(value, name)?.value === 'function',
    )
  );
}

/** The first request of a server tells whether Express is its listener, before it runs. */
function onRequestStart(message: unknown): void {
  const { server } = message as { server: Server };
  if (seenServers.has(server)) return;
  seenServers.add(server);
  guarded(NAME, () => server.listeners('request').forEach(patchRouterOf));
}

/** @returns whether the application's router is, or was, patched */
function patchRouterOf(app: unknown): boolean {
  const router = routerOf(app);
  if (router === undefined) return false;
  let prototype: object | null = router;
  while (prototype !== null && !isRouterPrototype(prototype)) prototype = Object.getPrototypeOf(prototype);
  if (prototype !== null) patchRouter(prototype);
  return prototype !== null;
}

function noteLayers(router: Router, from: number, path: unknown, options: PathOptions): void {
  for (const layer of router.stack.slice(from)) noteLayer(layer, layerPath(router, layer, path, options));
}

function noteLayer(layer: Layer, noted: LayerPath): void {
  layerPaths.set(layer, noted);
  if (typeof layer.route === 'object' && layer.route !== null) layerPaths.set(layer.route, noted);
  patchLayer(Object.getPrototypeOf(layer));
}

/** Notes the layers that were made before the router was patched: in a bundle, or before start(). */
function noteEarlierLayers(router: Router): void {
  if (notedRouters.has(router)) return;
  notedRouters.add(router);
  for (const layer of router.stack) if (!layerPaths.has(layer)) noteLayer(layer, foundLayerPath(router, layer));
}

function patchLayer(prototype: Record<string, unknown>): void {
  if (patchedLayers.has(prototype)) return;
  patchedLayers.add(prototype);
  for (const [method, position] of Object.entries(HANDLE_METHODS)) {
    const original = prototype[method];
    if (typeof original !== 'function') continue;
    prototype[method] = function (this: Layer, ...args: unknown[]) {
      const path = isEnabled ? layerPaths.get(this) : undefined;
      if (path !== undefined) enterLayer(this, path, args[position] as Request);
      return original.apply(this, args);
    };
    imitate(prototype[method] as object, original as (...args: unknown[]) => unknown);
  }
}

/** First: a router begins to run, under the prefix of the layer that leads to it. Does not throw. */
function enterRouter(router: Router, request: Request): void {
  try {
    noteEarlierLayers(router);
    const notes = notesOf(request);
    const progress = notes instanceof Progress ? notes : new Progress(notes?.template);
    if (progress !== notes) keepNotes(request, progress);
    const { prefix, entered: before } = progress;
    progress.entered = { router, before, prefix, baseUrl: request.baseUrl ?? '' };
  } catch (error) {
    routeFailed(NAME, error);
  }
}

/** Second: one of its layers has matched, a mount or a route. Does not throw. */
function enterLayer(layer: Layer, path: LayerPath, request: Request): void {
  try {
    const progress = notesOf(request);
    const entered = progress instanceof Progress ? progress.into(path.router) : undefined;
    if (!(progress instanceof Progress) || entered === undefined) return;
    if (layer.route === undefined) {
      const template = path.template ?? matchedTemplate(path, mountedPaths(request, entered.baseUrl));
      const isKnown = entered.prefix !== undefined && path.isKnown;
      progress.prefix = isKnown ? joinTemplates(entered.prefix, template) : undefined;
    } else {
      progress.route = layer.route;
      // a router that is a route's handler sees the whole path
      progress.prefix = entered.prefix;
      progress.template = routeTemplate(path, entered, request);
    }
  } catch (error) {
    routeFailed(NAME, error);
  }
}

/** Last: the answer has gone, and may have gone before the route's turn came. */
function routeAtTheEnd(request: Request, notes: RouteNotes | undefined): string | undefined {
  const { route } = request;
  if (notes instanceof Progress) return routeBeforeHandler(request, route, notes);
  return request.app === undefined && !isRoute(route) ? undefined : unseenRoute(request, route);
}

/** Where the request did not pass a router that was patched. */
function unseenRoute(request: Request, route: unknown): string | undefined {
  let template: string | undefined;
  guarded(NAME, () => {
    const isPatched = patchRouterOf(request.app);
    if (!isRoute(route)) return;
    template = isPatched ? routeInApp(request.app as App, route, rawPath(request.originalUrl ?? '')) : undefined;
    // from the next request on it is known
    if (!isPatched) warnUnseen();
  });
  return template;
}

/** Where a parameter's callback answered before the route's handler ran: the route that was about to. */
function routeBeforeHandler(request: Request, route: unknown, progress: Progress): string | undefined {
  // its handler has run, and its template is known
  if (route === progress.route && progress.template !== undefined) return undefined;
  const path = isRoute(route) ? layerPaths.get(route) : undefined;
  const entered = path && progress.into(path.router);
  if (path === undefined || entered === undefined) return undefined;
  if (entered.prefix === undefined) warnUnseen();
  return progress.route === route ? undefined : routeTemplate(path, entered, request);
}

function routeTemplate(path: LayerPath, entered: Entered, request: Request): string | undefined {
  if (entered.prefix === undefined || !path.isKnown) return undefined;
  return joinTemplates(entered.prefix, path.template ?? matchedTemplate(path, [rawPath(request.url ?? '')])) || '/';
}

/** Other frameworks leave a `route` on the request too; only Express's has a stack. */
function isRoute(route: unknown): route is object {
  return typeof route === 'object' && route !== null && Array.isArray((route as { stack?: unknown }).stack);
}

function warnUnseen(): void {
  warn(
    'CHX_ROUTE_UNSEEN',
    NAME,
    'a request had a route of Express, but its template cannot be told from the bundle; path has the concrete path. ' +
      'Leave Express out of the bundle (esbuild --external:express, webpack externals: { express: "commonjs express" }).',
  );
}
