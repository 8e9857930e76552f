/**
 * Where the frameworks report the route template of a request. It does not know the frameworks, and they know nothing
 * else of inbound requests.
 */

import { errorText, warn } from '../../diagnostics/log';
import { sharedState } from '../../shared-state';
import { doNoHarm } from '../patching/do-no-harm';
import { LatestMap } from './latest-map';

/** What a framework has reported about a request. A framework may store more in its own object of this shape. */
export interface RouteState {
  /** The route that was reported last. */
  template: string | undefined;
}

type RouteLookup = (request: object, state: RouteState | undefined) => string | undefined;

const states = new LatestMap<object, RouteState>();
const lookups: RouteLookup[] = [];
const mountLookups: RouteLookup[] = [];
/** Routes that were published for us, by request; undefined while none was. */
let published: WeakMap<object, string> | undefined;
let areKept = false;

/**
 * Reports the route that a request has matched; the last report counts.
 * @param template in the framework's own syntax, with every mount prefix; undefined where it is not known
 */
export function setRoute(request: object, template: string | undefined): void {
  const state = states.get(request);
  if (state !== undefined) state.template = template;
  else if (template !== undefined) states.set(request, { template });
}

/** Reports a route that its framework has published for us: it goes before what is observed; the last one counts. */
export function setPublishedRoute(request: object, template: string): void {
  published ??= new WeakMap();
  published.set(request, template);
}

/** @returns undefined where nothing has been reported about the request */
export function routeStateOf(request: object): RouteState | undefined {
  return states.get(request);
}

/** Replaces the state of a request by a framework's own, which has taken over the template. */
export function setRouteState(request: object, state: RouteState): void {
  states.set(request, state);
}

/** @returns the route that the application has set itself by the public `setRoute`, which goes before every report */
export function ownRouteOf(request: object): string | undefined {
  return sharedState().routes?.get(request);
}

/** @returns undefined where no framework reported a route, and the application has set none */
export function routeOf(request: object): string | undefined {
  const given = ownRouteOf(request) ?? published?.get(request);
  if (given !== undefined) return given;
  const state = states.get(request);
  for (const lookup of lookups) {
    const route = lookup(request, state);
    if (route !== undefined) return route;
  }
  return state?.template;
}

/**
 * To be asked where there is no route.
 * @returns the template of the mount whose handler has answered, and what stands for the rest: `/gw/*`; undefined where no
 *   framework knows of one
 */
export function mountOf(request: object): string | undefined {
  const state = states.get(request);
  for (const lookup of mountLookups) {
    const template = lookup(request, state);
    if (template !== undefined) return template;
  }
  return undefined;
}

/** Keeps routes after the end of their requests, for spans, which end later. */
export function keepRoutes(): void {
  areKept = true;
}

/** Releases a request that has ended and whose route has been read. */
export function endRoute(request: object): void {
  states.release(request, areKept || sharedState().hasMonitored);
}

/**
 * Adds a lookup that is called at the end of each request and goes before what was reported: it may know of a later
 * route whose handler did not run, or of a framework that runs inside another.
 * @param place `first` for a framework that always runs inside another, whose lookup would name the route that leads to it
 */
export function addRouteLookup(lookup: RouteLookup, place: 'first' | 'last' = 'last'): void {
  if (place === 'first') lookups.unshift(lookup);
  else lookups.push(lookup);
}

export function removeRouteLookup(lookup: RouteLookup): void {
  const index = lookups.indexOf(lookup);
  if (index >= 0) lookups.splice(index, 1);
}

/** Adds a lookup of mounts, which is called at the end of each request without a route. */
export function addMountLookup(lookup: RouteLookup): void {
  mountLookups.push(lookup);
}

export function removeMountLookup(lookup: RouteLookup): void {
  const index = mountLookups.indexOf(lookup);
  if (index >= 0) mountLookups.splice(index, 1);
}

/**
 * Runs a framework's work for one request; what goes wrong in it is logged.
 * @param source name of the instrumentation
 * @returns what it gives; undefined where it failed
 */
export function guarded<Result>(source: string, work: () => Result): Result | undefined {
  return doNoHarm(work, (error) => routeFailed(source, error));
}

/** Logs what went wrong, for code on the path of every request, which catches by itself. */
export function routeFailed(source: string, error: unknown): void {
  warn('CHX_INTERNAL', source, `the route of a request could not be told: ${errorText(error)}`);
}
