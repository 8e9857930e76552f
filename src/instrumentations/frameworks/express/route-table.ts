/**
 * The templates of all routes of the Express applications in this process, built before a request comes. That is
 * possible where every router is mounted once, under one path, by `use`. Elsewhere the template of a route depends on
 * the request, and requests have to be followed.
 */
import { joinPrefixes, joinTemplates } from '../templates';
import type { LayerPath, Router } from './layers';

export interface KnownRoute {
  readonly template: string;
  /** What `req.baseUrl` is in its handler; undefined where its mount path has parameters. */
  readonly baseUrl: string | undefined;
}

interface Found {
  readonly routers: Set<Router>;
  readonly routes: WeakMap<object, KnownRoute>;
}

/** What makes a mount path match more than its own text. */
const PATTERN = /[:*?+(){}[\]\\|]/;
/** An application that still adds routes after so many builds will go on, and is followed. */
const MAX_BUILDS = 100;

export class RouteTable {
  /** Routers of the applications that are listeners of servers. */
  private readonly roots: WeakRef<Router>[] = [];
  /** Routers with layers; the table is complete when a build reaches every one. */
  private readonly known = new WeakSet<Router>();
  private knownCount = 0;
  /** By route, of the last complete build; requests under way need it also after an incomplete one. */
  private routes = new WeakMap<object, KnownRoute>();
  private buildsLeft = MAX_BUILDS;
  private hasChanged = false;
  private isComplete = false;

  /** @param layerPaths what is known of the layers of routers */
  constructor(private readonly layerPaths: WeakMap<object, LayerPath>) {}

  /** Whether a layer or a root was added since the last build. */
  get isStale(): boolean {
    return this.hasChanged;
  }

  /** Notices that a router has a new layer. */
  addLayerTo(router: Router): void {
    this.hasChanged = true;
    if (this.known.has(router)) return;
    this.known.add(router);
    this.knownCount++;
  }

  /** @param router the same one again where several servers share an application */
  addRoot(router: Router): void {
    if (this.roots.some((root) => root.deref() === router)) return;
    this.hasChanged = true;
    this.roots.push(new WeakRef(router));
  }

  /** Builds no more: a router is reached by another way than its mount, or may have been created unobserved. */
  giveUp(): void {
    this.buildsLeft = 0;
    this.isComplete = false;
  }

  /** Builds the table anew if it is stale. @returns whether it holds every route */
  update(): boolean {
    if (this.hasChanged) {
      this.hasChanged = false;
      this.isComplete = this.buildsLeft > 0 && this.build();
      this.buildsLeft--;
    }
    return this.isComplete;
  }

  /** @returns undefined for anything but a route, and for one created since the last build */
  find(route: object): KnownRoute | undefined {
    return this.routes.get(route);
  }

  private build(): boolean {
    const found: Found = { routers: new Set(), routes: new WeakMap() };
    const isFixed = this.roots.every((root) => {
      const router = root.deref();
      return router === undefined || this.visit(router, '', found);
    });
    const knownFound = [...found.routers].filter((router) => this.known.has(router)).length;
    if (!isFixed || knownFound < this.knownCount) return false;
    this.routes = found.routes;
    return true;
  }

  /** @returns false where a template depends on the request */
  private visit(router: Router, prefix: string, found: Found): boolean {
    const { routers, routes } = found;
    if (routers.has(router)) return false;
    routers.add(router);
    return router.stack.every((layer) => {
      const { route, handle } = layer as { route?: unknown; handle?: Partial<Router> };
      const isOfRoute = typeof route === 'object' && route !== null;
      if (!isOfRoute && !Array.isArray(handle?.stack)) return true;
      const template = this.layerPaths.get(layer)?.template;
      if (template === undefined) return false;
      if (!isOfRoute) return this.visit(handle as Router, joinPrefixes(prefix, template), found);
      const baseUrl = PATTERN.test(prefix) ? undefined : prefix;
      routes.set(route, { template: joinTemplates(prefix, template), baseUrl });
      return true;
    });
  }
}
