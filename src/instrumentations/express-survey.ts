/**
 * The templates of all routes of the Express applications in this process, told before a request comes: possible where
 * every router is mounted once, under one path, by `use`. Elsewhere a route has several templates, or nobody can say
 * which, and requests have to be followed.
 */
import { joinTemplates, type LayerPath, type Router } from './express-layers';

export interface SurveyedRoute {
  readonly template: string;
  /** What `req.baseUrl` is in its handler; undefined where its mount path has parameters. */
  readonly baseUrl: string | undefined;
}

/** What makes a mount path match more than its own text. */
const PATTERN = /[:*?+(){}[\]\\|]/;
/** After so many an application goes on making routers, and is followed. */
const MAX_SURVEYS = 100;

export class Survey {
  /** Routers of the applications that servers have for listeners. */
  private readonly roots: WeakRef<Router>[] = [];
  /** Routers with layers, of which a survey has to find every one. */
  private readonly known = new WeakSet<Router>();
  private knownCount = 0;
  private routes = new WeakMap<object, SurveyedRoute>();
  private surveysLeft = MAX_SURVEYS;
  private isDue = false;
  private isComplete = false;

  /** @param layerPaths what is known of the layers of routers */
  constructor(private readonly layerPaths: WeakMap<object, LayerPath>) {}

  /** Whether something has come since the last survey. */
  get hasChanged(): boolean {
    return this.isDue && this.surveysLeft > 0;
  }

  /** A router has got a layer. */
  addLayerTo(router: Router): void {
    this.isDue = true;
    if (this.known.has(router)) return;
    this.known.add(router);
    this.knownCount++;
  }

  addRoot(router: Router): void {
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
      this.surveysLeft--;
      this.isComplete = this.survey();
    }
    return this.isComplete;
  }

  /** @returns undefined for what is no route, or was made since the last survey */
  find(route: object): SurveyedRoute | undefined {
    return this.routes.get(route);
  }

  private survey(): boolean {
    this.routes = new WeakMap();
    const seen = new Set<Router>();
    const isTold = this.roots.every((root) => {
      const router = root.deref();
      return router === undefined || this.visit(router, '', seen);
    });
    const seenKnown = [...seen].filter((router) => this.known.has(router)).length;
    return isTold && seenKnown === this.knownCount;
  }

  /** @returns false where a request decides */
  private visit(router: Router, prefix: string, seen: Set<Router>): boolean {
    if (seen.has(router)) return false;
    seen.add(router);
    return router.stack.every((layer) => {
      const { route, handle } = layer as { route?: unknown; handle?: Partial<Router> };
      const isRoute = typeof route === 'object' && route !== null;
      if (!isRoute && !Array.isArray(handle?.stack)) return true;
      const template = this.layerPaths.get(layer)?.template;
      if (template === undefined) return false;
      const whole = joinTemplates(prefix, template);
      if (!isRoute) return this.visit(handle as Router, whole, seen);
      this.routes.set(route, { template: whole || '/', baseUrl: PATTERN.test(prefix) ? undefined : prefix });
      return true;
    });
  }
}
