/**
 * Reports the route template of @koa/router and koa-router on Koa 2 and 3, with the prefixes of routers, nested routers
 * and koa-mount; and of Egg's router, which is made from theirs.
 *
 * The router sets `ctx._matchedRoute` before each of its layers runs. Its package may be an ES module, which a preload
 * cannot patch; Koa's context is none but for Egg 4's, and is a prototype or a class, so that property becomes an accessor on
 * the context's prototype. Layers of `router.use` have paths too but are no routes: the next layer that is a route counts.
 */

import { observes } from '../../diagnostics/observed';
import { addMountLookup, guarded, removeMountLookup, setRoute } from '../inbound/routes';
import type { Instrumentation } from '../instrumentation';
import { onEsModuleLoaded } from '../patching/es-module-load';
import { onFileLoaded } from '../patching/module-load';
import { answeringMount, observeMounts } from './koa-mounts';
import { joinTemplates } from './templates';

/** A route of the router, or its middleware, which has no methods. */
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
  /** Layers whose path matches, of each router that the request has reached. */
  readonly matched?: readonly Layer[];
  /** Set by koa-mount: the innermost mount path. */
  readonly mountPath?: unknown;
}

/** What the file of Egg's Koa exports. */
interface EggContext {
  readonly Context?: unknown;
}

/** The progress of one request through the routers. */
interface RequestTracker {
  /** What `ctx._matchedRoute` returns. */
  value: unknown;
  /** Number of layers in `ctx.matched` when the current router had matched. */
  layerCount: number;
  /** Index of the layer that is running. */
  layer: number;
}

const NAME = 'koa';
/** Without the package's folder, which an alias may rename; the exports are checked. */
const FILE = '/lib/context.js';
/** Egg 4's own Koa, whose context is a class; from CommonJS, and as {@link EGG_MODULE} from ES modules. */
const EGG_FILE = '/@eggjs/koa/dist/commonjs/context.js';
const EGG_MODULE = 'koa';
const PROPERTY = '_matchedRoute';

const trackers = new WeakMap<object, RequestTracker>();
let isEnabled = false;

export function createKoaInstrumentation(): Instrumentation {
  let endWatching: readonly (() => void)[] = [];
  return {
    name: NAME,
    enable() {
      isEnabled = true;
      addMountLookup(answeringMount);
      endWatching = [
        onFileLoaded(FILE, patchContext),
        onFileLoaded(EGG_FILE, (exported) => patchClass((exported as EggContext).Context)),
        onEsModuleLoaded(EGG_MODULE, ({ Context }) => patchClass(Context?.get())),
      ];
    },
    disable() {
      isEnabled = false;
      removeMountLookup(answeringMount);
      for (const end of endWatching) end();
    },
    observe: patchContext,
  };
}

function patchClass(Context: unknown): void {
  patchContext((Context as { readonly prototype?: unknown } | undefined)?.prototype);
}

/** @param exported by any file of that name */
export function patchContext(exported: unknown): void {
  if (typeof exported !== 'object' || exported === null || PROPERTY in exported) return;
  const prototype = exported as Record<string, unknown>;
  if (['onerror', 'throw', 'toJSON', 'inspect'].some((method) => typeof prototype[method] !== 'function')) return;
  observes(NAME);
  observeMounts(prototype, NAME, () => isEnabled);
  Object.defineProperty(prototype, PROPERTY, {
    get(this: KoaContext) {
      return trackers.get(this)?.value;
    },
    set(this: KoaContext, value: unknown) {
      const tracker = trackers.get(this) ?? { value, layerCount: 0, layer: 0 };
      tracker.value = value;
      trackers.set(this, tracker);
      if (isEnabled) guarded(NAME, () => reportRoute(this, tracker));
    },
    configurable: true,
    enumerable: false,
  });
}

function reportRoute(context: KoaContext, tracker: RequestTracker): void {
  const layers = context.matched ?? [];
  if (layers.length !== tracker.layerCount) {
    // first: another router has matched, and none of its layers has run
    tracker.layer = tracker.layerCount;
    tracker.layerCount = layers.length;
  } else {
    // second: one of them is about to run
    const index = layers.findIndex(({ path }, i) => i >= tracker.layer && path === tracker.value);
    if (index >= 0) tracker.layer = index;
  }
  const route = layers.find(({ methods }, i) => i >= tracker.layer && methods.includes(context.method));
  if (route !== undefined) setRoute(context.req, joinTemplates(mountPrefix(context), String(route.path)));
}

/** What koa-mount has removed from the path: literal text, so it contains no values of parameters. */
function mountPrefix({ mountPath, originalUrl, path }: KoaContext): string {
  if (typeof mountPath !== 'string') return '';
  const original = originalUrl.replace(/[?#].*$/s, '');
  const mount = mountPath.replace(/\/$/, '');
  const rest = path === '/' && original.endsWith(mount) ? '' : path;
  const prefix = original.endsWith(rest) ? original.slice(0, original.length - rest.length) : '';
  // a path that the application has shortened itself may have lost the value of a parameter
  return prefix.endsWith(mount) ? prefix : '';
}
