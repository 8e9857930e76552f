/**
 * Where the frameworks leave the route template of a request for http-inbound, which does not know them.
 */
const routes = new WeakMap<object, string>();

/**
 * Says which route a request has matched; the last one counts.
 * @param template in the framework's own syntax, with every mount prefix
 */
export function setRoute(request: object, template: string): void {
  routes.set(request, template);
}

/** @returns undefined where no framework reported a route */
export function routeOf(request: object): string | undefined {
  return lookUp?.(request) ?? routes.get(request);
}

let lookUp: ((request: object) => string | undefined) | undefined;

/** Asked at the end of a request, before what was reported: it may know of a later route whose turn did not come. */
export function setRouteLookup(lookup: typeof lookUp): void {
  lookUp = lookup;
}
