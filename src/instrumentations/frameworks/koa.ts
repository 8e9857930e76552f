/**
 * Lends http-inbound the route template of @koa/router and koa-router on Koa 2 and 3, with the prefixes of routers,
 * nested routers and koa-mount.
 *
 * The router notes a path as `ctx._matchedRoute` before each of its layers runs. Its package may be an ES module,
 * which a preload cannot patch; Koa's context never is, so that property becomes an accessor on the context's
 * prototype. Layers of `router.use` have paths too but are no routes: before them, the route to come counts.
 */

import { guarded, setRoute } from '../inbound/routes';
import type { Instrumentation } from '../instrumentation';
import { onFileLoaded } from '../patching/module-load';

/** A route of the router, or one of its middleware: that has no methods. */
interface Layer {
  readonly path: unknown;
  readonly methods: readonly string[];
}

/** The part of Koa's context that is read. */
interface KoaContext {
  readonly req: object;
  readonly method: string;
  readonly path: string;
  readonly originalUrl: string;
  /** Layers whose path matches, of each router that was asked so far. */
  readonly matched?: readonly Layer[];
  /** Set by koa-mount: the innermost mount path. */
  readonly mountPath?: unknown;
}

/** How far a request has come. */
interface RequestTracker {
  /** What `ctx._matchedRoute` gives back. */
  value: unknown;
  /** Number of layers in `ctx.matched` when the present router was asked. */
  layerCount: number;
  /** Index of the layer that runs now. */
  layer: number;
}

const NAME = 'koa';
/** Without the package's folder, which an alias may name otherwise; the exports tell. */
const FILE = '/lib/context.js';
const PROPERTY = '_matchedRoute';

const progressOf = new WeakMap<object, RequestTracker>();
let isEnabled = false;

export function createKoaInstrumentation(): Instrumentation {
  let endWatching: (() => void) | undefined;
  return {
    name: NAME,
    enable() {
      isEnabled = true;
      endWatching = onFileLoaded(FILE, patchContext);
    },
    disable() {
      isEnabled = false;
      endWatching?.();
    },
  };
}

/** @param exported of any file of that name */
export function patchContext(exported: unknown): void {
  if (typeof exported !== 'object' || exported === null || PROPERTY in exported) return;
  const prototype = exported as Record<string, unknown>;
  if (['onerror', 'throw', 'toJSON', 'inspect'].some((method) => typeof prototype[method] !== 'function')) return;
  Object.defineProperty(prototype, PROPERTY, {
    get(this: KoaContext) {
      return progressOf.get(this)?.value;
    },
    set(this: KoaContext, value: unknown) {
      const progress = progressOf.get(this) ?? { value, layerCount: 0, layer: 0 };
      progress.value = value;
      progressOf.set(this, progress);
      if (isEnabled) guarded(NAME, () => noteRoute(this, progress));
    },
    configurable: true,
    enumerable: false,
  });
}

function noteRoute(context: KoaContext, progress: RequestTracker): void {
  const layers = context.matched ?? [];
  if (layers.length !== progress.layerCount) {
    // first: another router has matched, and none of its layers has run
    progress.layer = progress.layerCount;
    progress.layerCount = layers.length;
  } else {
    // second: one of them is about to run
    const index = layers.findIndex(({ path }, i) => i >= progress.layer && path === progress.value);
    if (index >= 0) progress.layer = index;
  }
  const route = layers.find(({ methods }, i) => i >= progress.layer && methods.includes(context.method));
  if (route !== undefined) setRoute(context.req, joinTemplates(mountPrefix(context), String(route.path)));
}

/** What koa-mount has taken off the path: literal text, so no parameter is lost. */
function mountPrefix({ mountPath, originalUrl, path }: KoaContext): string {
  if (typeof mountPath !== 'string') return '';
  const original = originalUrl.replace(/[?#].*$/s, '');
  const mount = mountPath.replace(/\/$/, '');
  const rest = path === '/' && original.endsWith(mount) ? '' : path;
  const prefix = original.endsWith(rest) ? original.slice(0, original.length - rest.length) : '';
  // a path that the application has shortened itself may have lost a value
  return prefix.endsWith(mount) ? prefix : '';
}

function joinTemplates(prefix: string, template: string): string {
  return prefix !== '' && template === '/' ? prefix : prefix + template;
}
