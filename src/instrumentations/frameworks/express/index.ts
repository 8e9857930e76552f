/**
 * Lends http-inbound the route template of Express 4 and 5 (and of the package `router`), with every mount prefix.
 * It records nothing itself.
 *
 * Express keeps no template of a mount path, and `req.baseUrl` holds the concrete one. So the router's `use` and
 * `route` are patched in place to remember, for each layer they create, its router and path. When the first request
 * comes, the templates of all routes are told from that, and at the end of a request `req.route` says which it was.
 * Where that is not enough, because a router is mounted twice, has several paths or is called by a handler of the
 * application's own, each request is followed, which costs more: by the router's `handle` and the layers' methods.
 *
 * In a bundle there is no file to patch. There the router is found through the application: as the listener of the
 * server at its first request, or as `req.app` at the end of one. What was made until then is read from its layers.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Server } from 'node:http';
import { warn } from '../../../diagnostics/log';
import { rawPath } from '../../inbound/request-target';
import { addRouteLookup, guarded, type RouteState, removeRouteLookup, routeFailed } from '../../inbound/routes';
import type { Instrumentation } from '../../instrumentation';
import { onFileLoaded } from '../../patching/module-load';
import { imitate, patchMethod } from '../../patching/patch';
import { type App, routeInApp, routerOf } from './app';
import {
  foundLayerPath,
  joinTemplates,
  type Layer,
  type LayerPath,
  layerPath,
  mountPath,
  type PathOptions,
  type Router,
} from './layers';
import { type Request, RequestTracker } from './request-tracker';
import { type KnownRoute, RouteTable } from './route-table';

interface RouterPrototype {
  use(this: Router, ...args: unknown[]): unknown;
  route(this: Router, path: unknown): unknown;
  handle(this: Router, request: Request, ...rest: unknown[]): unknown;
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
/** Prototypes of routers, whose `use` and `route` are patched, and of their layers; there are a few. */
const routerPrototypes = new Set<RouterPrototype>();
const layerPrototypes = new Set<Record<string, unknown>>();
/** Routers whose every layer is known. */
const notedRouters = new WeakSet<object>();
const seenServers = new WeakSet<object>();
const survey = new RouteTable(layerPaths);
/** Puts back what follows requests; undefined while none is followed. */
let restore: (() => void)[] | undefined;

export function createExpressInstrumentation(): Instrumentation {
  let endWatching: (() => void) | undefined;
  return {
    name: NAME,
    enable() {
      addRouteLookup(routeAtTheEnd);
      followWhereNeeded();
      // what is loaded already is told at once, and may have made routers
      let isLate = true;
      endWatching = onFileLoaded(FILE, (exported) => patchRouter(exported, isLate));
      isLate = false;
      subscribe(REQUEST_START, onRequestStart);
    },
    disable() {
      removeRouteLookup(routeAtTheEnd);
      endFollowing();
      endWatching?.();
      unsubscribe(REQUEST_START, onRequestStart);
    },
  };
}

/**
 * Express 4 keeps the methods on the exported function itself, the package router on its prototype.
 * @param isLate whether routers may have been made before, of which nobody knows
 */
function patchRouter(exported: unknown, isLate: boolean): void {
  const target = [exported, (exported as { prototype?: unknown } | null)?.prototype].find(isRouterPrototype);
  if (target === undefined || routerPrototypes.has(target)) return;
  routerPrototypes.add(target);
  if (isLate) survey.giveUp();

  const { use, route } = target;
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
  imitate(target.use, use);
  imitate(target.route, route);
  if (restore !== undefined) restore.push(followInto(target));
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
  const isNew = !seenServers.has(server);
  if (!isNew && !survey.hasChanged) return;
  seenServers.add(server);
  guarded(NAME, () => {
    for (const app of isNew ? server.listeners('request') : []) {
      patchRouterOf(app);
      const root = routerOf(app);
      if (root !== undefined) survey.addRoot(root);
    }
    followWhereNeeded();
  });
}

/** @returns whether the application's router is, or was, patched */
function patchRouterOf(app: unknown): boolean {
  const router = routerOf(app);
  if (router === undefined) return false;
  let prototype: object | null = router;
  while (prototype !== null && !isRouterPrototype(prototype)) prototype = Object.getPrototypeOf(prototype);
  if (prototype !== null) patchRouter(prototype, true);
  return prototype !== null;
}

function noteLayers(router: Router, from: number, path: unknown, options: PathOptions): void {
  survey.addLayerTo(router);
  for (const layer of router.stack.slice(from)) noteLayer(layer, layerPath(router, layer, path, options));
}

function noteLayer(layer: Layer, noted: LayerPath): void {
  layerPaths.set(layer, noted);
  if (typeof layer.route === 'object' && layer.route !== null) layerPaths.set(layer.route, noted);
  const prototype: Record<string, unknown> = Object.getPrototypeOf(layer);
  if (layerPrototypes.has(prototype)) return;
  layerPrototypes.add(prototype);
  if (restore !== undefined) restore.push(...followThrough(prototype));
}

/** Notes the layers that were made before the router was patched: in a bundle, or before start(). */
function noteEarlierLayers(router: Router): void {
  if (notedRouters.has(router)) return;
  notedRouters.add(router);
  for (const layer of router.stack) if (!layerPaths.has(layer)) noteLayer(layer, foundLayerPath(router, layer));
}

function followWhereNeeded(): void {
  if (survey.tellsAll()) endFollowing();
  else follow();
}

/** From now on each request that begins is followed. */
function follow(): void {
  restore ??= [...[...routerPrototypes].map(followInto), ...[...layerPrototypes].flatMap(followThrough)];
}

function endFollowing(): void {
  for (const put of restore ?? []) put();
  restore = undefined;
}

/** Follows requests into the routers of a kind. */
function followInto(prototype: RouterPrototype): () => void {
  return patchMethod(prototype, 'handle', (original, isInForce) => {
    return function (this: Router, ...args: unknown[]) {
      if (isInForce()) enterRouter(this, args[0] as Request);
      return original.apply(this, args);
    };
  });
}

/** Follows requests through the layers of a kind. */
function followThrough(prototype: Record<string, unknown>): (() => void)[] {
  return Object.entries(HANDLE_METHODS)
    .filter(([method]) => typeof prototype[method] === 'function')
    .map(([method, position]) =>
      patchMethod(prototype, method, (original, isInForce) => {
        return function (this: Layer, ...args: unknown[]) {
          const path = isInForce() ? layerPaths.get(this) : undefined;
          if (path !== undefined) enterLayer(this, path, args[position] as Request);
          return original.apply(this, args);
        };
      }),
    );
}

/** Does not throw. */
function enterRouter(router: Router, request: Request): void {
  try {
    noteEarlierLayers(router);
    RequestTracker.enterRouter(router, request);
  } catch (error) {
    routeFailed(NAME, error);
  }
}

/** Does not throw. */
function enterLayer(layer: Layer, path: LayerPath, request: Request): void {
  try {
    RequestTracker.enterLayer(layer, path, request);
  } catch (error) {
    routeFailed(NAME, error);
  }
}

/** Last: the answer has gone, and may have gone before the route's turn came. */
function routeAtTheEnd(request: Request & { app?: App }, notes: RouteState | undefined): string | undefined {
  const { route } = request;
  if (notes instanceof RequestTracker) return routeOfFollowed(request, route, notes);
  const isOfExpress = isRoute(route);
  const surveyed = isOfExpress ? survey.find(route) : undefined;
  if (surveyed !== undefined) return surveyedTemplate(request, surveyed);
  // nothing is to be found out of a request that matched no route, or that Express has not seen
  if (!isOfExpress && (restore === undefined || request.app === undefined)) return undefined;
  return unseenRoute(request, route);
}

/** Where a parameter's callback answered before the route's handler ran: the route that was about to. */
function routeOfFollowed(request: Request, route: unknown, progress: RequestTracker): string | undefined {
  // its handler has run, and its template is known
  if (route === progress.route && progress.template !== undefined) return undefined;
  const path = isRoute(route) ? layerPaths.get(route) : undefined;
  return path && progress.unreached(path, route as object, request, warnUnseen);
}

function surveyedTemplate(request: Request, { template, baseUrl }: KnownRoute): string {
  const own = request.baseUrl ?? '';
  if (baseUrl === undefined || own === baseUrl) return template;
  // the handler passed the request on, back to an outer router or to one mounted deeper; or the letters differ in case
  if (isWithin(baseUrl, own) || isWithin(rawPath(request.originalUrl ?? ''), baseUrl)) return template;
  survey.giveUp();
  follow();
  return joinTemplates(own, template.slice(baseUrl.length)) || '/';
}

/** Whether a path begins with the segments of another, in whatever letters. */
function isWithin(path: string, base: string): boolean {
  return base === '' || `${path}/`.toLowerCase().startsWith(`${base}/`.toLowerCase());
}

/** Where the request did not pass a router that was patched, or one that was made while it ran. */
function unseenRoute(request: Request & { app?: App }, route: unknown): string | undefined {
  let template: string | undefined;
  guarded(NAME, () => {
    const isPatched = patchRouterOf(request.app);
    followWhereNeeded();
    if (!isRoute(route)) return;
    const surveyed = survey.find(route);
    if (surveyed !== undefined) template = surveyedTemplate(request, surveyed);
    if (template !== undefined) return;
    template = isPatched ? routeInApp(request.app as App, route, rawPath(request.originalUrl ?? '')) : undefined;
    // from the next request on it is known
    if (!isPatched) warnUnseen();
  });
  return template;
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
