/**
 * What an Express application itself says of its routes, where its router had not been seen before the request.
 */
import { foundLayerPath, joinTemplates, type Layer, likeLayer, type Router } from './layers';

export interface App {
  readonly router?: Router;
  /** Express 4 makes its router when first needed; its `router` throws. */
  readonly _router?: Router;
  readonly lazyrouter?: unknown;
  readonly mountpath?: unknown;
  readonly parent?: App;
}

/** @returns undefined for what is no application of Express, or one without a router yet */
export function routerOf(app: unknown): Router | undefined {
  if (typeof app !== 'function') return undefined;
  const { lazyrouter } = app as unknown as App;
  const router = typeof lazyrouter === 'function' ? (app as unknown as App)._router : (app as unknown as App).router;
  return Array.isArray(router?.stack) ? router : undefined;
}

/**
 * Looks for a route among the routers of an application that has answered.
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
function appPrefix({ parent, mountpath }: App): string | undefined {
  if (parent === undefined) return '';
  const outer = appPrefix(parent);
  if (outer === undefined || typeof mountpath !== 'string') return undefined;
  return joinTemplates(outer, mountpath.replace(/(.)\/+$/, '$1'));
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
    const { template, probes, isKnown } = foundLayerPath(router, layer);
    const templates = template === undefined ? probes.map((probe) => probe.template) : [template];
    const inner = layer.handle as Partial<Router> | undefined;
    for (const own of isKnown ? templates : []) {
      const whole = joinTemplates(prefix, own);
      if (layer.route === route) yield { template: whole || '/', layer };
      else if (Array.isArray(inner?.stack) && !outer.has(inner as Router)) {
        yield* routesIn(inner as Router, route, whole, new Set([...outer, router]));
      }
    }
  }
}
