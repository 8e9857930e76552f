/**
 * Mounts whose handler has answered a request that matched no route: a proxy, static files, a guard. Express leaves the
 * concrete text of the mount's path on the request, in `baseUrl`; the template is that of a layer that has taken this
 * text. And mounts that a path has twice, because a handler below one of them has put the whole path back.
 */
import { rawPath } from '../../request-target';
import { joinPrefixes } from '../templates';
import {
  foundLayerPath,
  type Layer,
  layerPaths,
  matchedTemplate,
  mountedPaths,
  type Request,
  type Router,
} from './layers';

/** What follows the mount's path in the label. */
const REST = '/*';

/**
 * Templates by the concrete text, of mounts that are their own text: as many as there are, whatever callers send. A layer
 * that is added later comes after them.
 */
const literals = new WeakMap<Router, Map<string, string>>();

/** @param prefix template of the mount */
export function mountLabel(prefix: string): string {
  return prefix + REST;
}

/**
 * Finds the template of a mount among the routers of an application, by the text that it has taken from the path. Of
 * several that take it, such as `/:language` and `/assets`, one that is its own text goes first, then the first of all.
 * @param baseUrl from the root; not empty
 */
export function mountPrefix(root: Router, baseUrl: string, request: Request): string | undefined {
  const literal = literals.get(root)?.get(baseUrl);
  if (literal !== undefined) return literal;
  let first: string | undefined;
  for (const path of mountedPaths(request, '')) {
    for (const prefix of prefixesIn(root, baseUrl, path, '', new Set())) {
      if (prefix === baseUrl) {
        const known = literals.get(root) ?? new Map();
        literals.set(root, known.set(baseUrl, prefix));
      }
      if (isLiteral(prefix, baseUrl)) return prefix;
      first ??= prefix;
    }
  }
  return first;
}

/** Whether a template is the text that it has taken, whatever the case of its letters. */
export function isLiteral(prefix: string, baseUrl: string): boolean {
  return prefix.length === baseUrl.length && prefix.toLowerCase() === baseUrl.toLowerCase();
}

/**
 * @param baseUrl what is still to be taken
 * @param path of the request in this router
 * @param prefix template of the router
 * @param outer routers around it; one may be mounted in itself
 */
function* prefixesIn(
  router: Router,
  baseUrl: string,
  path: string,
  prefix: string,
  outer: ReadonlySet<Router>,
): Generator<string> {
  for (const layer of router.stack) {
    const taken = layer.route === undefined ? takenBy(layer, path) : undefined;
    if (taken === undefined || !isWithin(baseUrl, taken)) continue;
    const own = layerPaths.get(layer) ?? foundLayerPath(router, layer);
    if (!own.isKnown) continue;
    const template = joinPrefixes(prefix, own.template ?? matchedTemplate(own, [path]));
    const inner = layer.handle as Partial<Router> | undefined;
    if (taken === baseUrl) yield template;
    else if (Array.isArray(inner?.stack) && !outer.has(inner as Router)) {
      const rest = [baseUrl.slice(taken.length), path.slice(taken.length)] as const;
      yield* prefixesIn(inner as Router, ...rest, template, new Set([...outer, router]));
    }
  }
}

/**
 * The text that a mount takes from the beginning of a path, as in `baseUrl`; undefined where it does not match. Express 4
 * leaves it on the layer, and reads it there right after it has matched: another match later does no harm.
 */
function takenBy(layer: Layer, path: string): string | undefined {
  try {
    const match = layer.match(path);
    const text = typeof match === 'object' && match !== null ? (match as { path?: unknown }).path : match && layer.path;
    return typeof text === 'string' ? text.replace(/\/$/, '') : undefined;
  } catch {
    // a value that cannot be decoded; Express goes on to the next layer too
    return undefined;
  }
}

/** Whether a path has grown on its way, so that {@link doubledPrefix} is to be asked: hardly any has. */
export function hasGrown({ baseUrl = '', url = '', originalUrl = '' }: Request): boolean {
  // Express adds a slash where nothing follows a mount
  return baseUrl?.length + url?.length > originalUrl?.length + 1;
}

/**
 * The concrete text of a mount that stands twice at the beginning of a path, because a handler below it has set
 * `req.url = req.originalUrl`.
 */
export function doubledPrefix({ baseUrl = '', url = '', originalUrl = '' }: Request): string | undefined {
  const original = rawPath(originalUrl);
  const own = baseUrl + rawPath(url);
  if (!own.endsWith(original)) return undefined;
  const doubled = own.slice(0, own.length - original.length);
  return doubled !== '' && isWithin(original, doubled) ? doubled : undefined;
}

/**
 * @param doubled as {@link doubledPrefix} gives it
 * @param prefix template of the mount that has this text, where that is known
 * @returns the template with the mount once, as the path has it that was sent
 */
export function withoutDoubled(template: string, doubled: string, prefix: string | undefined): string {
  for (const each of [doubled, prefix]) {
    if (each === undefined || !isWithin(template, each)) continue;
    const rest = template.slice(each.length);
    // else the handler that answered has put the path back, as proxies want it, and the mount stands once
    if (isWithin(rest, each)) return rest;
  }
  return template;
}

/**
 * The same where nothing of it is left on the request: a handler that hands its answer on by `next(answer)` has left the
 * mount before the end, and some put `req.url` back once more.
 * @param baseUrl of the router that has the route; a mount with parameters has none
 * @returns the template with the mount once, if it stands there twice and not so in the path that was sent
 */
export function asSent(template: string, baseUrl: unknown, originalUrl: unknown): string {
  // an application may have put anything on its request
  if (typeof baseUrl !== 'string' || typeof originalUrl !== 'string' || baseUrl === '') return template;
  if (!template.startsWith(baseUrl, baseUrl.length)) return template;
  const rest = template.slice(baseUrl.length);
  const isTwice = isWithin(template, baseUrl) && isWithin(rest, baseUrl);
  return isTwice && !isWithin(rawPath(originalUrl), baseUrl + baseUrl) ? rest : template;
}

/** Whether a path begins with the segments of another, whatever the case of their letters. */
export function isWithin(path: string, base: string): boolean {
  return base === '' || `${path}/`.toLowerCase().startsWith(`${base}/`.toLowerCase());
}
