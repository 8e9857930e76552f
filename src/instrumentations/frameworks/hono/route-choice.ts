/**
 * Which of the handlers that have matched a request is its route. Hono runs them in the order in which they were
 * registered, middleware among them, and makes no difference between the two.
 */

export type Handler = (this: unknown, context: unknown, next: unknown) => unknown;

/** What Hono keeps of each handler. */
export interface Route {
  /** In upper case; `ALL` by `use`, `all` and `mount`. */
  readonly method: string;
  /** The template, with the prefixes of `route` and `basePath`. */
  readonly path: string;
  readonly handler: Handler;
}

/** Hono's mark on the handler of an application with an `onError` of its own: the handler inside. */
const COMPOSED_HANDLER = '__COMPOSED_HANDLER';

/** Handlers of `mount`. */
export const mountHandlers = new WeakSet<Handler>();

/** From what counts least. */
type Kind = 'middleware' | 'wildcard' | 'route';

/**
 * @param matched in the order in which they run
 * @param reached position of the one that was asked last: it has answered, or has called `next` as the last of all
 * @returns the route that answered, or was about to; undefined where there is nothing but middleware
 */
export function chooseRoute(matched: readonly Route[], reached: number): Route | undefined {
  const at = matched[reached];
  const kind = at && kindOf(at);
  if (kind === 'route' || (kind === 'wildcard' && !takesNext(at as Route))) return at;
  // whoever takes `next` and stands at a wildcard may be a cache, a check or static files: what comes behind is meant
  const isKind = (wanted: Kind) => (route: Route) => kindOf(route) === wanted;
  const behind = matched.slice(reached + 1);
  return (
    behind.find(isKind('route')) ??
    (kind === 'wildcard' ? at : behind.find(isKind('wildcard'))) ??
    matched.slice(0, reached).findLast((route) => kindOf(route) !== 'middleware')
  );
}

/** Middleware is what Hono takes for it: it takes `next`. One for a single method and a path of its own is a route. */
function kindOf(route: Route): Kind {
  if (route.method === 'ALL' && takesNext(route)) return 'middleware';
  return route.path.endsWith('*') ? 'wildcard' : 'route';
}

/** The handler of `mount` does too, and is none. */
function takesNext({ handler }: Route): boolean {
  const inside = innermost(handler);
  return inside.length > 1 && !mountHandlers.has(inside);
}

function innermost(handler: Handler): Handler {
  const inside = (handler as { [COMPOSED_HANDLER]?: Handler })[COMPOSED_HANDLER];
  return inside === undefined ? handler : innermost(inside);
}
