/**
 * What the layers of an Express router say about the paths that they were made with: while they are made, and of those
 * that were made before anybody looked.
 */
import { rawPath } from '../../request-target';

export type Path = string | RegExp;
type Handler = (...args: unknown[]) => unknown;

/** The path of a layer as Express 4 keeps it. */
type LayerRegExp = RegExp & { readonly fast_slash?: boolean };

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

/** How a layer's path is read: a route's whole, a mount's as the beginning. */
export interface PathOptions {
  readonly end: boolean;
  readonly strict: unknown;
}

/** What is known of a layer. */
export interface LayerPath {
  readonly router: Router;
  /** The template; undefined where the layer has several and the request decides. */
  readonly template: string | undefined;
  /** One probe for each of several paths: a layer of its own that matches this path only. */
  readonly probes: readonly { readonly template: string; readonly layer: Layer }[];
  /** False where nobody can say any more what path it was made with. */
  readonly isKnown: boolean;
}

/** How Express 4 ends the regular expression of every mount path that is a string. */
const MOUNT_END = '\\/?(?=\\/|$)';
/** What it makes of a parameter, with the slash or dot before it and the question mark behind, and of a star. */
const PARAMETER = /\(\?:(\\\/|\\\.)?(\([^()]*\))\)(\??)|\(\.\*\)/g;
const ANY_SEGMENT = /^\(\[\^\\?\/(\\\.)?\]\+\?\)$/;

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
  // a slash at the end of a mount path stands for nothing: what follows brings its own
  const templateOf = (each: Path) =>
    typeof each === 'string' && !options.end ? each.replace(/(.)\/+$/, '$1') : String(each);
  if (paths.length === 1 && only !== undefined)
    return { router, template: templateOf(only), probes: [], isKnown: true };
  const probes = paths.map((each) => ({ template: templateOf(each), layer: likeLayer(router, layer, each, options) }));
  return { router, template: undefined, probes, isKnown: true };
}

/** The same of a layer that was made before its router was patched. */
export function foundLayerPath(router: Router, layer: Layer): LayerPath {
  const { route } = layer;
  const isRoute = typeof route === 'object' && route !== null;
  const options = isRoute ? { end: true, strict: router.strict } : { end: false, strict: false };
  const path = isRoute ? (route as { path?: unknown }).path : foundMountPath(router, layer, options);
  return path === undefined
    ? { router, template: undefined, probes: [], isKnown: false }
    : layerPath(router, layer, path, options);
}

/** A layer of the same kind for another path, which matches and does nothing. */
export function likeLayer(router: Router, layer: Layer, path: Path, options: PathOptions): Layer {
  const Constructor = layer.constructor as new (path: Path, options: object, handler: Handler) => Layer;
  return new Constructor(path, { sensitive: router.caseSensitive, ...options }, () => undefined);
}

/** Which of several paths the request has matched; the first, where none can be told. */
export function matchedTemplate({ probes }: LayerPath, concretes: readonly string[]): string {
  const probe = probes.find(({ layer }) => concretes.some((concrete) => layer.match(concrete))) ?? probes[0];
  return probe?.template ?? '';
}

/**
 * What a mount layer may have been matched against: its part has moved from `url` to `baseUrl` by now, and the slash
 * in `url` may have been put there.
 */
export function mountedPaths(request: { url?: string; baseUrl?: string }, outerBaseUrl: string): string[] {
  const own = (request.baseUrl ?? '').slice(outerBaseUrl.length);
  const rest = rawPath(request.url ?? '');
  return rest === '/' && own !== '' ? [own, own + rest] : [own + rest];
}

/** Without a slash at the end, so that another template can follow; the root is empty. */
export function joinTemplates(prefix: string, template: string): string {
  return template === '/' ? prefix : prefix + template;
}

function isPath(path: unknown): path is Path {
  return typeof path === 'string' || path instanceof RegExp;
}

/** The router of Express 5 keeps the path from its version 2.3 on, Express 4 only what it has made of it. */
function foundMountPath(router: Router, layer: Layer, options: PathOptions): unknown {
  const regexp = layer.regexp as LayerRegExp | undefined;
  if (layer.rawPath !== undefined) return layer.rawPath;
  if (layer.slash === true || regexp?.fast_slash === true) return '/';
  if (!(regexp instanceof RegExp) || !Array.isArray(layer.keys)) return undefined;
  if (!regexp.source.includes(MOUNT_END)) return regexp;
  const keys = keyNames(layer);
  const parts = regexp.source.slice(1).split('|^');
  const paths = parts.map((source) => readMountPath(source, keys));
  const path = paths.length === 1 ? paths[0] : paths;
  // a guess of which Express makes the same is none any more
  const same = likeLayer(router, layer, path as Path, options);
  const isSame = (same.regexp as RegExp).source === regexp.source && String(keyNames(same)) === String(keyNames(layer));
  return isSame ? path : undefined;
}

/** @param keys names of the parameters from here on; those that are used are taken out */
function readMountPath(source: string, keys: string[]): Path {
  // among several paths there may be regular expressions
  if (!source.endsWith(MOUNT_END)) return new RegExp(`^${source}`);
  return source
    .slice(0, -MOUNT_END.length)
    .replace(PARAMETER, (whole, before = '', capture, optional) => {
      const name = keys.shift() ?? '';
      if (whole === '(.*)') return '*';
      return `${before}:${name}${ANY_SEGMENT.test(capture) ? '' : capture}${optional}`;
    })
    .replace(/\\([/.])/g, '$1');
}

function keyNames(layer: Layer): string[] {
  return (layer.keys as { name: unknown }[]).map(({ name }) => String(name));
}
