/**
 * Reports the route template of Express 4 and 5, and of the package `router`, with every mount prefix. It records no
 * measurement itself.
 *
 * `use` and `route` of the router are patched to remember the path of each layer. When the first request comes, the
 * table of all routes is built from that, and at the end of a request `req.route` is looked up in it. Where the table
 * is not enough, because a router is mounted twice, has several paths or is called by a handler of the application,
 * each request is followed, which costs more.
 *
 * In a bundle there is no file whose exports could be patched. There the router is found through the application: as
 * the listener of the server at its first request, or as `req.app` at the end of one.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { warn } from '../../../diagnostics/log';
import {
  addMountLookup,
  addRouteLookup,
  guarded,
  type RouteState,
  removeMountLookup,
  removeRouteLookup,
} from '../../inbound/routes';
import type { Instrumentation } from '../../instrumentation';
import { onFileLoaded } from '../../patching/module-load';
import { REQUEST_START, type RequestStart } from '../../patching/request-start';
import { rawPath } from '../../request-target';
import { joinTemplates } from '../templates';
import { type App, isRoute, layerPaths, outermostRouter, type Request, routeInApp, routerOf } from './layers';
import {
  asSent,
  doubledPrefix,
  hasGrown,
  isLiteral,
  isWithin,
  mountLabel,
  mountPrefix,
  withoutDoubled,
} from './mounts';
import { RequestTracker } from './request-tracker';
import { type KnownRoute, RouteTable } from './route-table';
import { NAME, RouterPatches } from './router-patches';

type ExpressRequest = Request & { readonly app?: App };

/**
 * The router of Express 4, `express/lib/router/index.js`, and the package `router` of Express 5. Both may be installed
 * under another name, so what is loaded must also look like one.
 */
const FILE = '/router/index.js';

export function createExpressInstrumentation(): Instrumentation {
  let observer: ExpressObserver | undefined;
  return {
    name: NAME,
    enable() {
      observer = new ExpressObserver();
    },
    disable() {
      observer?.end();
      observer = undefined;
    },
  };
}

/** Observes every Express application of this process until it is ended. */
class ExpressObserver {
  private readonly seenServers = new WeakSet<object>();
  private readonly table = new RouteTable(layerPaths);
  private readonly patches = new RouterPatches(this.table);

  private readonly endWatching: () => void;

  constructor() {
    addRouteLookup(this.routeOf);
    addMountLookup(this.mountOf);
    this.followIfNeeded();
    // files loaded before are announced at once, and may have created routers
    let isLate = true;
    this.endWatching = onFileLoaded(FILE, (exported) => this.patches.patchExports(exported, isLate));
    isLate = false;
    subscribe(REQUEST_START, this.onRequestStart);
  }

  end(): void {
    removeRouteLookup(this.routeOf);
    removeMountLookup(this.mountOf);
    this.endWatching();
    unsubscribe(REQUEST_START, this.onRequestStart);
    this.patches.end();
  }

  /** First: a request has come. With the first one of a server, its listeners are known, and may be applications. */
  private readonly onRequestStart = (message: unknown): void => {
    const { server } = message as RequestStart;
    const isNew = !this.seenServers.has(server);
    if (!isNew && !this.table.isStale) return;
    this.seenServers.add(server);
    guarded(NAME, () => {
      for (const app of isNew ? server.listeners('request') : []) {
        const root = routerOf(app);
        if (root === undefined) continue;
        this.patches.patchKindOf(root);
        this.table.addRoot(root);
      }
      this.followIfNeeded();
    });
  };

  /** Last: the response has been sent, perhaps before the handler of the matched route ran. */
  private readonly routeOf = (request: ExpressRequest, state: RouteState | undefined): string | undefined => {
    const { route } = request;
    if (state instanceof RequestTracker) return followedTemplate(request, route, state);
    const isOfExpress = isRoute(route);
    const known = isOfExpress ? this.table.find(route) : undefined;
    if (known !== undefined) return this.knownTemplate(request, known);
    // a request without a route, or of another framework, tells nothing new
    if (!isOfExpress && (!this.patches.isFollowing || request.app === undefined)) return undefined;
    return this.unknownTemplate(request, route);
  };

  /** Last, where no route is known: the mount whose handler has answered. */
  private readonly mountOf = (request: ExpressRequest, state: RouteState | undefined): string | undefined => {
    const { baseUrl } = request;
    if (typeof baseUrl !== 'string' || baseUrl === '') return undefined;
    let prefix: string | undefined;
    guarded(NAME, () => {
      prefix = prefixOf(baseUrl, request, state);
    });
    return prefix && once(mountLabel(prefix), request, state);
  };

  private knownTemplate(request: ExpressRequest, known: KnownRoute): string {
    const template = once(this.templateUnder(request, known), request, undefined);
    return asSent(template, known.baseUrl, request.originalUrl);
  }

  private templateUnder(request: Request, { template, baseUrl }: KnownRoute): string {
    const own = request.baseUrl ?? '';
    if (baseUrl === undefined || own === baseUrl) return template;
    // the handler passed the request on, to an outer router or one mounted deeper; or the letters differ in case
    if (isWithin(baseUrl, own) || isWithin(rawPath(request.originalUrl ?? ''), baseUrl)) return template;
    // a handler called the router itself, under another path than its mount
    this.table.giveUp();
    this.patches.follow();
    return joinTemplates(own, template.slice(baseUrl.length));
  }

  /** For a request that passed no patched router, or a route created while it ran. */
  private unknownTemplate(request: ExpressRequest, route: unknown): string | undefined {
    let template: string | undefined;
    guarded(NAME, () => {
      const router = routerOf(request.app);
      const isPatched = router !== undefined && this.patches.patchKindOf(router);
      this.followIfNeeded();
      if (!isRoute(route)) return;
      const known = this.table.find(route);
      if (known !== undefined) template = this.knownTemplate(request, known);
      else if (isPatched) template = routeInApp(request.app as App, route, rawPath(request.originalUrl ?? ''));
      else warnUnseen();
    });
    return template;
  }

  private followIfNeeded(): void {
    if (this.table.update()) this.patches.stopFollowing();
    else this.patches.follow();
  }
}

/** Where the callback of a parameter responded before the route's handler ran, the route is the one about to run. */
function followedTemplate(request: ExpressRequest, route: unknown, tracker: RequestTracker): string | undefined {
  if (route === tracker.route && tracker.template !== undefined) {
    // its handler has run, and its template is known
    const template = hasGrown(request) ? once(tracker.template, request, tracker) : tracker.template;
    return asSent(template, tracker.baseUrl, request.originalUrl);
  }
  const path = isRoute(route) ? layerPaths.get(route) : undefined;
  return path && tracker.unreached(path, route as object, request, warnUnseen);
}

/** A template in which no mount stands twice. */
function once(template: string, request: ExpressRequest, state: RouteState | undefined): string {
  if (!hasGrown(request)) return template;
  let found = template;
  guarded(NAME, () => {
    const doubled = doubledPrefix(request);
    if (doubled !== undefined) found = withoutDoubled(template, doubled, prefixOf(doubled, request, state));
  });
  return found;
}

/** The template of the mount that has taken a text from the path. */
function prefixOf(baseUrl: string, request: ExpressRequest, state: RouteState | undefined): string | undefined {
  const root = outermostRouter(request.app);
  const found = root && mountPrefix(root, baseUrl, request);
  if (!(state instanceof RequestTracker) || (found !== undefined && isLiteral(found, baseUrl))) return found;
  return state.mountPrefix(baseUrl);
}

function warnUnseen(): void {
  warn(
    'CHX_ROUTE_UNSEEN',
    NAME,
    'a route of Express matched, but the path of its router is not known; path has the concrete path. Leave Express out ' +
      'of the bundle (esbuild --external:express, webpack externals: { express: "commonjs express" }), or start before ' +
      'the routes are created.',
  );
}
