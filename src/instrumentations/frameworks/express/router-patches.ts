/**
 * The patches of Express's routers: those that notice each new layer, always in force, and those that follow requests
 * through routers and layers, which cost 4 to 5 µs a request and are in force only where the route table is not enough.
 */
import { observes } from '../../../diagnostics/observed';
import { guarded, routeFailed } from '../../inbound/routes';
import { patchMethod } from '../../patching/patch';
import {
  foundLayerPath,
  type Layer,
  type LayerPath,
  layerPath,
  layerPaths,
  mountPath,
  type PathOptions,
  type Request,
  type Router,
} from './layers';
import { RequestTracker } from './request-tracker';
import type { RouteTable } from './route-table';

/** As in OTEL_NODE_DISABLED_INSTRUMENTATIONS. */
export const NAME = 'express';

/** Layers' methods that run a handler, of Express 4 and 5, and which of their arguments is the request. */
const HANDLE_METHODS = { handle_request: 0, handleRequest: 0, handle_error: 1, handleError: 1 } as const;

interface RouterPrototype {
  use(this: Router, ...args: unknown[]): unknown;
  route(this: Router, path: unknown): unknown;
  handle(this: Router, request: Request, ...rest: unknown[]): unknown;
}

/** Ends a patch. */
type Restore = () => void;

export class RouterPatches {
  /** Patched prototypes of routers and layers; one of each for every loaded copy of Express. */
  private readonly routerPrototypes = new Set<RouterPrototype>();
  private readonly layerPrototypes = new Set<Record<string, unknown>>();
  /** Routers whose earlier layers have been read. */
  private readonly readRouters = new WeakSet<Router>();
  private readonly noticing: Restore[] = [];
  /** Undefined while requests are not followed. */
  private following: Restore[] | undefined;

  /** @param table is told of every new layer */
  constructor(private readonly table: RouteTable) {}

  get isFollowing(): boolean {
    return this.following !== undefined;
  }

  /**
   * Patches what a file of a router exports: Express 4 keeps the methods on the exported function itself, the package
   * `router` on its prototype. Anything else is left alone.
   * @param isLate whether routers may have been created before
   */
  patchExports(exported: unknown, isLate: boolean): void {
    const prototype = [exported, (exported as { prototype?: unknown } | null)?.prototype].find(isRouterPrototype);
    if (prototype !== undefined) this.patch(prototype, isLate);
  }

  /** Patches the kind of a router that exists. @returns false where its methods are not found */
  patchKindOf(router: Router): boolean {
    let prototype: object | null = router;
    while (prototype !== null && !isRouterPrototype(prototype)) prototype = Object.getPrototypeOf(prototype);
    if (prototype !== null) this.patch(prototype, true);
    return prototype !== null;
  }

  /** Follows each request that begins from now on. */
  follow(): void {
    this.following ??= [
      ...[...this.routerPrototypes].map((prototype) => this.followInto(prototype)),
      ...[...this.layerPrototypes].flatMap((prototype) => this.followThrough(prototype)),
    ];
  }

  stopFollowing(): void {
    for (const restore of this.following ?? []) restore();
    this.following = undefined;
  }

  /** Restores every method. */
  end(): void {
    this.stopFollowing();
    for (const restore of this.noticing) restore();
  }

  private patch(prototype: RouterPrototype, isLate: boolean): void {
    if (this.routerPrototypes.has(prototype)) return;
    this.routerPrototypes.add(prototype);
    observes(NAME);
    if (isLate) this.table.giveUp();
    this.noticing.push(
      this.noticeLayers(prototype, 'use', (_router, args) => [mountPath(args), { end: false, strict: false }]),
      this.noticeLayers(prototype, 'route', (router, [path]) => [path, { end: true, strict: router.strict }]),
    );
    this.following?.push(this.followInto(prototype));
  }

  /** Remembers the path of each layer that a method creates. */
  private noticeLayers(
    prototype: RouterPrototype,
    method: 'use' | 'route',
    pathOf: (router: Router, args: readonly unknown[]) => [path: unknown, options: PathOptions],
  ): Restore {
    return patchMethod(prototype, method, (original, isInForce) => {
      const patches = this;
      return function (this: Router, ...args: unknown[]) {
        const before = this.stack?.length ?? 0;
        const result = original.apply(this, args);
        if (isInForce()) guarded(NAME, () => patches.addLayers(this, before, ...pathOf(this, args)));
        return result;
      };
    });
  }

  private addLayers(router: Router, from: number, path: unknown, options: PathOptions): void {
    this.table.addLayerTo(router);
    for (const layer of router.stack.slice(from)) this.addLayer(layer, layerPath(router, layer, path, options));
  }

  private addLayer(layer: Layer, path: LayerPath): void {
    layerPaths.set(layer, path);
    if (typeof layer.route === 'object' && layer.route !== null) layerPaths.set(layer.route, path);
    const prototype: Record<string, unknown> = Object.getPrototypeOf(layer);
    if (this.layerPrototypes.has(prototype)) return;
    this.layerPrototypes.add(prototype);
    this.following?.push(...this.followThrough(prototype));
  }

  /** Reads the layers created before the router was patched: in a bundle, or before start(). */
  private readEarlierLayers(router: Router): void {
    if (this.readRouters.has(router)) return;
    this.readRouters.add(router);
    for (const layer of router.stack) this.addLayer(layer, layerPaths.get(layer) ?? foundLayerPath(router, layer));
  }

  /** Follows requests into the routers of a kind. */
  private followInto(prototype: RouterPrototype): Restore {
    return patchMethod(prototype, 'handle', (original, isInForce) => {
      const patches = this;
      return function (this: Router, ...args: unknown[]) {
        if (isInForce()) patches.enterRouter(this, args[0] as Request);
        return original.apply(this, args);
      };
    });
  }

  /** Follows requests through the layers of a kind. */
  private followThrough(prototype: Record<string, unknown>): Restore[] {
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
  private enterRouter(router: Router, request: Request): void {
    try {
      this.readEarlierLayers(router);
      RequestTracker.enterRouter(router, request);
    } catch (error) {
      routeFailed(NAME, error);
    }
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

/** A router created by Express has the methods too, but not as its own. */
function isRouterPrototype(value: unknown): value is RouterPrototype {
  return (
    typeof value === 'function' &&
    ['use', 'route', 'handle', 'param'].every(
      (name) => typeof Object.getOwnPropertyDescriptor(value, name)?.value === 'function',
    )
  );
}
