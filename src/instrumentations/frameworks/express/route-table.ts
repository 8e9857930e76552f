/**
 * The templates of all routes of the Express applications in this process, told before a request comes: possible where
 * every router is mounted once, under one path, by `use`. Elsewhere a route has several templates, or nobody can say
 * which, and requests have to be followed.
 */
import { joinTemplates, type LayerPath, type Router } from './layers';

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
/** After so many an application goes on making routers, and is followed. */
const MAX_SURVEYS = 100;

export class RouteTable {
  /** Routers of the applications that servers have for listeners. */
  private readonly roots: WeakRef<Router>[] = [];
  /** Routers with layers, of which a survey has to find every one. */
  private readonly known = new WeakSet<Router>();
  private knownCount = 0;
  /** By route, of the last survey that told all; also those under way need it, when a later one does not. */
  private routes = new WeakMap<object, KnownRoute>();
  private surveysLeft = MAX_SURVEYS;
  private isDue = false;
  private isComplete = false;

  /** @param layerPaths what is known of the layers of routers */
  constructor(private readonly layerPaths: WeakMap<object, LayerPath>) {}

  /** Whether something has come since the last survey. */
  get hasChanged(): boolean {
    return this.isDue;
  }

  /** A router has got a layer. */
  addLayerTo(router: Router): void {
    this.isDue = true;
    if (this.known.has(router)) return;
    this.known.add(router);
    this.knownCount++;
  }

  /** @param router the same one again where several servers have one application */
  addRoot(router: Router): void {
    if (this.roots.some((root) => root.deref() === router)) return;
    this.isDue = true;
    this.roots.push(new WeakRef(router));
  }

  /** Somebody has been seen to reach a router on another way than by its mount, or it may have been made unseen. */
  giveUp(): void {
    this.surveysLeft = 0;
    this.isComplete = false;
  }

  /** Surveys again, if something has come. @returns whether every route is known */
  tellsAll(): boolean {
    if (this.hasChanged) {
      this.isDue = false;
      this.isComplete = this.surveysLeft > 0 && this.survey();
      this.surveysLeft--;
    }
    return this.isComplete;
  }

  /** @returns undefined for what is no route, or was made since the last survey */
  find(route: object): KnownRoute | undefined {
    return this.routes.get(route);
  }

  private survey(): boolean {
    const found: Found = { routers: new Set(), routes: new WeakMap() };
    const isTold = this.roots.every((root) => {
      const router = root.deref();
      return router === undefined || this.visit(router, '', found);
    });
    const knownFound = [...found.routers].filter((router) => this.known.has(router)).length;
    if (!isTold || knownFound < this.knownCount) return false;
    this.routes = found.routes;
    return true;
  }

  /** @returns false where a request decides */
  private visit(router: Router, prefix: string, found: Found): boolean {
    const { routers, routes } = found;
    if (routers.has(router)) return false;
    routers.add(router);
    return router.stack.every((layer) => {
      const { route, handle } = layer as { route?: unknown; handle?: Partial<Router> };
      const isRoute = typeof route === 'object' && route !== null;
      if (!isRoute && !Array.isArray(handle?.stack)) return true;
      const template = this.layerPaths.get(layer)?.template;
      if (template === undefined) return false;
      const whole = joinTemplates(prefix, template);
      if (!isRoute) return this.visit(handle as Router, whole, found);
      routes.set(route, { template: whole || '/', baseUrl: PATTERN.test(prefix) ? undefined : prefix });
      return true;
    });
  }
}
