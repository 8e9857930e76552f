/**
 * Lends http-inbound the route template of Express 4 and 5 (and of the package `router`), with every mount prefix.
 * It records nothing itself.
 *
 * Express keeps no template of a mount path, and `req.baseUrl` holds the concrete one. So the router's `use` and
 * `route` are patched in place to remember, for each layer they create, its router and path; the layer's
 * `handle_request` then follows a request: a mount layer notes the prefix under which the next router runs, a route
 * layer notes the whole template. The error handlers that run later find it unchanged.
 */
import { errorText, warn } from '../diagnostics/log';
import type { Instrumentation } from './instrumentation';
import { offFileLoaded, onFileLoaded } from './module-load';
import { imitate } from './patch';
import { rawPath } from './request-target';
import { setRoute, setRouteLookup } from './routes';

type Path = string | RegExp;
type Handler = (...args: unknown[]) => unknown;

interface Layer {
  route?: unknown;
  match(path: string): unknown;
  [method: string]: unknown;
}

interface Router {
  stack: Layer[];
  caseSensitive?: boolean;
  strict?: boolean;
}

interface RouterPrototype {
  use(this: Router, ...args: unknown[]): unknown;
  route(this: Router, path: unknown): unknown;
  handle(this: Router, request: Request, ...rest: unknown[]): unknown;
}

interface Request {
  url?: string;
  baseUrl?: string;
  route?: unknown;
}

/** What is known of a layer since it was created. */
interface LayerPath {
  readonly router: Router;
  /** The template; undefined where the layer has several and the request decides. */
  readonly template: string | undefined;
  /** One probe for each of several paths: a layer of its own that matches this path only. */
  readonly probes: readonly { readonly template: string; readonly layer: Layer }[];
}

/** How far a request has come. */
interface Progress {
  /** Prefix of the router that is entered next. */
  prefix: string;
  /** The route that was reported last. */
  route: unknown;
  readonly routers: Map<Router, Entered>;
}

/** A router as a request entered it. */
interface Entered {
  /** Template of its mount path, from the root. */
  readonly prefix: string;
  /** The concrete text of the same, as in `req.baseUrl`. */
  readonly baseUrl: string;
}

/** Layers' methods that run a handler, of Express 4 and 5, and which of their arguments is the request. */
const HANDLE_METHODS = { handle_request: 0, handleRequest: 0, handle_error: 1, handleError: 1 } as const;
/**
 * The router of Express 4, `express/lib/router/index.js`, and the package `router` of Express 5. Both may be installed
 * under another name, so what is loaded must also look like one.
 */
const FILE = '/router/index.js';

const layerPaths = new WeakMap<object, LayerPath>();
const progressOf = new WeakMap<object, Progress>();
const patchedLayers = new WeakSet<object>();
const patchedRouters = new WeakSet<object>();
let isEnabled = false;

export function createExpressInstrumentation(): Instrumentation {
  return {
    name: 'express',
    enable() {
      isEnabled = true;
      setRouteLookup(routeBeforeHandler);
      onFileLoaded(FILE, patchRouter);
    },
    disable() {
      isEnabled = false;
      setRouteLookup(undefined);
      offFileLoaded(FILE);
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
    guarded(() => noteLayers(this, before, mountPath(args), { end: false, strict: false }));
    return result;
  };
  target.route = function (path) {
    const before = this.stack?.length ?? 0;
    const result = route.call(this, path);
    guarded(() => noteLayers(this, before, path, { end: true, strict: this.strict }));
    return result;
  };
  target.handle = function (request, ...rest) {
    if (isEnabled) guarded(() => enterRouter(this, request));
    return handle.call(this, request, ...rest);
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

/** The path argument of `use`, which may be left out. */
function mountPath(args: readonly unknown[]): unknown {
  let first = args[0];
  while (Array.isArray(first) && first.length > 0) first = first[0];
  return typeof first === 'function' ? '/' : args[0];
}

function noteLayers(router: Router, from: number, path: unknown, options: { end: boolean; strict: unknown }): void {
  const paths = (Array.isArray(path) ? path.flat(Number.POSITIVE_INFINITY) : [path]).filter(isPath);
  for (const layer of router.stack.slice(from)) {
    const noted = layerPath(router, layer, paths, options);
    layerPaths.set(layer, noted);
    if (typeof layer.route === 'object' && layer.route !== null) layerPaths.set(layer.route, noted);
    patchLayer(Object.getPrototypeOf(layer));
  }
}

function layerPath(router: Router, layer: Layer, paths: readonly Path[], options: { end: boolean }): LayerPath {
  const [only] = paths;
  // a slash at the end of a mount path stands for nothing: what follows brings its own
  const templateOf = (path: Path) =>
    typeof path === 'string' && !options.end ? path.replace(/(.)\/+$/, '$1') : String(path);
  if (paths.length === 1 && only !== undefined) return { router, template: templateOf(only), probes: [] };
  const Constructor = layer.constructor as new (path: Path, options: object, handler: Handler) => Layer;
  const settings = { sensitive: router.caseSensitive, ...options };
  const probes = paths.map((path) => ({
    template: templateOf(path),
    layer: new Constructor(path, settings, () => undefined),
  }));
  return { router, template: undefined, probes };
}

function isPath(path: unknown): path is Path {
  return typeof path === 'string' || path instanceof RegExp;
}

function patchLayer(prototype: Record<string, unknown>): void {
  if (patchedLayers.has(prototype)) return;
  patchedLayers.add(prototype);
  for (const [method, position] of Object.entries(HANDLE_METHODS)) {
    const original = prototype[method];
    if (typeof original !== 'function') continue;
    prototype[method] = function (this: Layer, ...args: unknown[]) {
      const path = isEnabled ? layerPaths.get(this) : undefined;
      if (path !== undefined) guarded(() => enterLayer(this, path, args[position] as Request));
      return original.apply(this, args);
    };
    imitate(prototype[method] as object, original);
  }
}

/** First: a router begins to run, under the prefix of the layer that leads to it. */
function enterRouter(router: Router, request: Request): void {
  let progress = progressOf.get(request);
  if (progress === undefined) {
    progress = { prefix: '', route: undefined, routers: new Map() };
    progressOf.set(request, progress);
  }
  progress.routers.set(router, { prefix: progress.prefix, baseUrl: request.baseUrl ?? '' });
}

/** Second: one of its layers has matched, a mount or a route. */
function enterLayer(layer: Layer, path: LayerPath, request: Request): void {
  const progress = progressOf.get(request);
  const entered = progress?.routers.get(path.router);
  if (progress === undefined || entered === undefined) return;
  if (layer.route === undefined) {
    const template = path.template ?? matchedTemplate(path, mountedPaths(request, entered));
    progress.prefix = joinTemplates(entered.prefix, template);
  } else {
    progress.route = layer.route;
    // a router that is a route's handler sees the whole path
    progress.prefix = entered.prefix;
    setRoute(request, routeTemplate(path, entered, request));
  }
}

/** Where a parameter's callback answered before the route's handler ran: the route that was about to. */
function routeBeforeHandler(request: Request): string | undefined {
  const { route } = request;
  const path = typeof route === 'object' && route !== null ? layerPaths.get(route) : undefined;
  const progress = progressOf.get(request);
  const entered = path && progress?.routers.get(path.router);
  if (path === undefined || entered === undefined || progress?.route === route) return undefined;
  return routeTemplate(path, entered, request);
}

function routeTemplate(path: LayerPath, entered: Entered, request: Request): string {
  return joinTemplates(entered.prefix, path.template ?? matchedTemplate(path, [rawPath(request.url ?? '')])) || '/';
}

/** Which of several paths the request has matched; the first, where none can be told. */
function matchedTemplate({ probes }: LayerPath, concretes: readonly string[]): string {
  const probe = probes.find(({ layer }) => concretes.some((concrete) => layer.match(concrete))) ?? probes[0];
  return probe?.template ?? '';
}

/**
 * What a mount layer may have been matched against: its part has moved from `url` to `baseUrl` by now, and the slash
 * in `url` may have been put there.
 */
function mountedPaths(request: Request, entered: Entered): string[] {
  const own = (request.baseUrl ?? '').slice(entered.baseUrl.length);
  const rest = rawPath(request.url ?? '');
  return rest === '/' && own !== '' ? [own, own + rest] : [own + rest];
}

/** Without a slash at the end, so that another template can follow; the root is empty. */
function joinTemplates(prefix: string, template: string): string {
  return template === '/' ? prefix : prefix + template;
}

/** Runs what must not harm the application. */
function guarded(work: () => void): void {
  try {
    work();
  } catch (error) {
    warn('CHX_INTERNAL', 'express', `the route of a request could not be told: ${errorText(error)}`);
  }
}
