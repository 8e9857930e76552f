/**
 * Follows a request through Express's routers where the template of its route depends on the way it took: each router
 * that it enters, and each layer that matches, a mount or a route. Error handlers that run later do not change it.
 */

import { type RouteState, routeStateOf, setRouteState } from '../../inbound/routes';
import { rawPath } from '../../request-target';
import { joinPrefixes, joinTemplates } from '../templates';
import { type Layer, type LayerPath, matchedTemplate, mountedPaths, type Request, type Router } from './layers';
import { isLiteral } from './mounts';

/** A router as a request entered it. */
interface Entered {
  readonly router: Router;
  /** The router that was entered before. */
  readonly before: Entered | undefined;
  /** Template of its mount path, from the root; undefined where a mount path on the way is not known. */
  readonly prefix: string | undefined;
  /** The concrete text of the same, as in `req.baseUrl`. */
  readonly baseUrl: string;
}

/** A mount as a request entered it. */
interface Mounted {
  /** The mount that was entered before. */
  readonly before: Mounted | undefined;
  /** Template of its path, from the root; undefined where it is not known. */
  readonly prefix: string | undefined;
  readonly baseUrl: string;
}

/** The way of one request. */
export class RequestTracker implements RouteState {
  /** The route that matched last. */
  route: unknown;
  /** Prefix of the router that is entered next. */
  private prefix: string | undefined = '';
  /** The router that was entered last. */
  private entered: Entered | undefined;
  /** The mount that was entered last. */
  private mounted: Mounted | undefined;

  private constructor(public template: string | undefined) {}

  /** The concrete text of what the router was mounted under that was entered last. */
  get baseUrl(): string | undefined {
    return this.entered?.baseUrl;
  }

  /** @returns undefined where the request has not entered a router while it was followed */
  static of(request: object): RequestTracker | undefined {
    const state = routeStateOf(request);
    return state instanceof RequestTracker ? state : undefined;
  }

  /** First: a router begins to run, under the prefix of the layer that leads to it. */
  static enterRouter(router: Router, request: Request): void {
    let tracker = RequestTracker.of(request);
    if (tracker === undefined) {
      tracker = new RequestTracker(routeStateOf(request)?.template);
      setRouteState(request, tracker);
    }
    const { prefix, entered: before } = tracker;
    tracker.entered = { router, before, prefix, baseUrl: request.baseUrl ?? '' };
  }

  /** Second: one of its layers has matched, a mount or a route. */
  static enterLayer(layer: Layer, path: LayerPath, request: Request): void {
    const tracker = RequestTracker.of(request);
    const entered = tracker?.lastEntry(path.router);
    if (tracker === undefined || entered === undefined) return;
    if (layer.route === undefined) {
      const template = path.template ?? matchedTemplate(path, mountedPaths(request, entered.baseUrl));
      const isKnown = entered.prefix !== undefined && path.isKnown;
      tracker.prefix = isKnown ? joinPrefixes(entered.prefix, template) : undefined;
      tracker.enterMount(request.baseUrl);
    } else {
      tracker.route = layer.route;
      // a router that is a route's handler matches the whole path
      tracker.prefix = entered.prefix;
      tracker.template = routeTemplate(path, entered, request);
    }
  }

  /**
   * Last: the template of a route that had matched when the callback of a parameter responded, so that it did not run.
   * @param path of the route
   * @param onUnknown called where the path under which its router is mounted is not known
   */
  unreached(path: LayerPath, route: object, request: Request, onUnknown: () => void): string | undefined {
    const entered = this.lastEntry(path.router);
    if (entered === undefined) return undefined;
    if (entered.prefix === undefined) onUnknown();
    return this.route === route ? undefined : routeTemplate(path, entered, request);
  }

  /** The template of a mount that was entered under this text: one that is the text itself, else the first. */
  mountPrefix(baseUrl: string): string | undefined {
    let first: string | undefined;
    for (let { mounted } = this; mounted !== undefined; mounted = mounted.before) {
      const { prefix } = mounted;
      if (prefix === undefined || mounted.baseUrl !== baseUrl) continue;
      if (isLiteral(prefix, baseUrl)) return prefix;
      first = prefix;
    }
    return first;
  }

  private enterMount(baseUrl: string | undefined): void {
    const { mounted: before, prefix } = this;
    const isNew = before?.baseUrl !== baseUrl || before?.prefix !== prefix;
    if (baseUrl && isNew) this.mounted = { before, prefix, baseUrl };
  }

  /** How the request entered a router the last time. */
  private lastEntry(router: Router): Entered | undefined {
    let { entered } = this;
    while (entered !== undefined && entered.router !== router) entered = entered.before;
    return entered;
  }
}

function routeTemplate(path: LayerPath, entered: Entered, request: Request): string | undefined {
  if (entered.prefix === undefined || !path.isKnown) return undefined;
  return joinTemplates(entered.prefix, path.template ?? matchedTemplate(path, [rawPath(request.url ?? '')]));
}
