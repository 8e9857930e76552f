/**
 * The parts of an Express application: its router, the layers of that, and the paths that they were made with. Express
 * keeps no template of a mount path, so the path is remembered when a layer is created. Of layers created before that
 * could be observed, the path is read from the layer where it is still there.
 */
import { rawPath } from '../../request-target';
import { joinPrefixes, joinTemplates } from '../templates';

type Path = string | RegExp;
type Handler = (...args: unknown[]) => unknown;

export interface Layer {
  route?: unknown;
  match(path: string): unknown;
  [key: string]: unknown;
}

export interface Router {
  stack: Layer[];
  caseSensitive?: boolean;
  strict?: boolean;
}

/** An application, which is a function too; Express 4 creates its router on first use, and its `router` throws. */
export interface App {
  readonly router?: Router;
  readonly _router?: Router;
  readonly lazyrouter?: unknown;
  readonly mountpath?: unknown;
  readonly parent?: App;
}

/** The part of a request that is read; each router on the way changes it. */
export interface Request {
  url?: string;
  originalUrl?: string;
  baseUrl?: string;
  route?: unknown;
}

/** How a layer's path is matched: a route's to the end, a mount's as a prefix. */
export interface PathOptions {
  readonly end: boolean;
  readonly strict: unknown;
}

/** What is known of a layer. */
export interface LayerPath {
  readonly router: Router;
  /** The template; undefined where the layer has several and the request decides, or where it is not known. */
  readonly template: string | undefined;
  /** One probe for each of several paths: a layer of its own that matches this path only. */
  readonly probes: readonly { readonly template: string; readonly layer: Layer }[];
  /** False where the path of the layer can no longer be found out. */
  readonly isKnown: boolean;
}

/** How Express 4 compiles a mount path without parameters: `/api` becomes `^\/api\/?(?=\/|$)`. */
const LITERAL_MOUNT = /^\^((?:\\[/.]|[\w~!@%&=:,;'-])+)\\\/\?\(\?=\\\/\|\$\)$/;

/**
 * Paths by layer, and by route. They hold as long as the layer lives, so they outlast a stop(): after the next start()
 * they could not be read from the layers again.
 */
export const layerPaths = new WeakMap<object, LayerPath>();

/** Other frameworks leave a `route` on the request too; only that of Express has a stack. */
export function isRoute(route: unknown): route is object {
  return typeof route === 'object' && route !== null && Array.isArray((route as { stack?: unknown }).stack);
}

/** @returns undefined for anything but an application of Express, and for one without a router yet */
export function routerOf(app: unknown): Router | undefined {
  if (typeof app !== 'function') return undefined;
  const { lazyrouter } = app as unknown as App;
  const router = typeof lazyrouter === 'function' ? (app as unknown as App)._router : (app as unknown as App).router;
  return Array.isArray(router?.stack) ? router : undefined;
}

/** The router of the application that an application is mounted in, whatever is between the two. */
export function outermostRouter(app: App | undefined): Router | undefined {
  let outermost = app;
  while (outermost?.parent !== undefined) outermost = outermost.parent;
  return routerOf(outermost);
}

/** The path argument of `use`, which may be left out. */
export function mountPath(args: readonly unknown[]): unknown {
  let first = args[0];
  while (Array.isArray(first) && first.length > 0) first = first[0];
  return typeof first === 'function' ? '/' : args[0];
}

/** @param path as `use` or `route` was given it */
export function layerPath(router: Router, layer: Layer, path: unknown, options: PathOptions): LayerPath {
  const paths = (Array.isArray(path) ? path.flat(Number.POSITIVE_INFINITY) : [path]).filter(isPath);
  const [only] = paths;
  // a slash at the end of a mount path has no meaning: what follows brings its own
  const templateOf = (each: Path) =>
    typeof each === 'string' && !options.end ? withoutSlashAtEnd(each) : String(each);
  if (paths.length === 1 && only !== undefined) {
    return { router, template: templateOf(only), probes: [], isKnown: true };
  }
  const probes = paths.map((each) => ({ template: templateOf(each), layer: likeLayer(router, layer, each, options) }));
  return { router, template: undefined, probes, isKnown: true };
}

/** The same for a layer created before its router was patched. */
export function foundLayerPath(router: Router, layer: Layer): LayerPath {
  const { route } = layer;
  const isOfRoute = typeof route === 'object' && route !== null;
  const options = isOfRoute ? { end: true, strict: router.strict } : { end: false, strict: false };
  const path = isOfRoute ? (route as { path?: unknown }).path : foundMountPath(layer);
  return path === undefined
    ? { router, template: undefined, probes: [], isKnown: false }
    : layerPath(router, layer, path, options);
}

/** Which of several paths the request has matched; the first, where that cannot be decided. */
export function matchedTemplate({ probes }: LayerPath, concretes: readonly string[]): string {
  const probe = probes.find(({ layer }) => concretes.some((concrete) => layer.match(concrete))) ?? probes[0];
  return probe?.template ?? '';
}

/**
 * The paths that a mount layer may have been matched against: by now its part has moved from `url` to `baseUrl`, and
 * Express may have added the slash in `url`.
 */
export function mountedPaths(request: Request, outerBaseUrl: string): string[] {
  const own = (request.baseUrl ?? '').slice(outerBaseUrl.length);
  const rest = rawPath(request.url ?? '');
  return rest === '/' && own !== '' ? [own, own + rest] : [own + rest];
}

/**
 * Looks for a route among the routers of an application, after its response.
 * @param concrete path of the request, which the template must match
 */
export function routeInApp(app: App, route: object, concrete: string): string | undefined {
  const router = routerOf(app);
  const prefix = appPrefix(app);
  if (router === undefined || prefix === undefined) return undefined;
  for (const { template, layer } of routesIn(router, route, prefix, new Set())) {
    if (likeLayer(router, layer, template, { end: true, strict: false }).match(concrete)) return template;
  }
  return undefined;
}

/** Template under which an application is mounted in others; undefined where it has several. */
export function appPrefix({ parent, mountpath }: App): string | undefined {
  if (parent === undefined) return '';
  const outer = appPrefix(parent);
  if (outer === undefined || typeof mountpath !== 'string') return undefined;
  return joinPrefixes(outer, withoutSlashAtEnd(mountpath));
}

/** Every place where the route stands; a router may be mounted more than once, and in itself. */
function* routesIn(
  router: Router,
  route: object,
  prefix: string,
  outer: ReadonlySet<Router>,
): Generator<{ template: string; layer: Layer }> {
  for (const layer of router.stack) {
    if (layer.route !== undefined && layer.route !== route) continue;
    const { template, probes, isKnown } = layerPaths.get(layer) ?? foundLayerPath(router, layer);
    const templates = template === undefined ? probes.map((probe) => probe.template) : [template];
    const inner = layer.handle as Partial<Router> | undefined;
    for (const own of isKnown ? templates : []) {
      if (layer.route === route) yield { template: joinTemplates(prefix, own), layer };
      else if (Array.isArray(inner?.stack) && !outer.has(inner as Router)) {
        yield* routesIn(inner as Router, route, joinPrefixes(prefix, own), new Set([...outer, router]));
      }
    }
  }
}

/** A layer of the same kind for another path, which matches and does nothing. */
function likeLayer(router: Router, layer: Layer, path: Path, options: PathOptions): Layer {
  const Constructor = layer.constructor as new (path: Path, options: object, handler: Handler) => Layer;
  return new Constructor(path, { sensitive: router.caseSensitive, ...options }, () => undefined);
}

/** `router` keeps the path from its version 2.3 on. Express 4 keeps only its regular expression, with the text in it. */
function foundMountPath(layer: Layer): unknown {
  if (layer.rawPath !== undefined) return layer.rawPath;
  const regexp = layer.regexp as (RegExp & { readonly fast_slash?: boolean }) | undefined;
  if (layer.slash === true || regexp?.fast_slash === true) return '/';
  return LITERAL_MOUNT.exec(regexp?.source ?? '')?.[1]?.replace(/\\([/.])/g, '$1');
}

function withoutSlashAtEnd(path: string): string {
  return path.replace(/(.)\/+$/, '$1');
}

function isPath(path: unknown): path is Path {
  return typeof path === 'string' || path instanceof RegExp;
}
