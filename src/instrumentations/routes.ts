/**
 * Where the frameworks leave the route template of a request for http-inbound, which does not know them.
 */
import { errorText, warn } from '../diagnostics/log';

type RouteLookup = (request: object) => string | undefined;

const routes = new WeakMap<object, string>();
const lookups = new Set<RouteLookup>();

/**
 * Says which route a request has matched; the last one counts.
 * @param template in the framework's own syntax, with every mount prefix
 */
export function setRoute(request: object, template: string): void {
  routes.set(request, template);
}

/** @returns undefined where no framework reported a route */
export function routeOf(request: object): string | undefined {
  for (const lookup of lookups) {
    const route = lookup(request);
    if (route !== undefined) return route;
  }
  return routes.get(request);
}

/**
 * Has the lookup asked at the end of each request, before what was reported: it may know of a later route whose turn
 * did not come, or of a framework that runs inside another.
 */
export function addRouteLookup(lookup: RouteLookup): void {
  lookups.add(lookup);
}

/** Ends it. */
export function removeRouteLookup(lookup: RouteLookup): void {
  lookups.delete(lookup);
}

/**
 * Runs what must not harm the application.
 * @param source name of the instrumentation
 */
export function guarded(source: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    warn('CHX_INTERNAL', source, `the route of a request could not be told: ${errorText(error)}`);
  }
}
