/**
 * Where Express has mounted an application of another framework, which is handed a shortened path. `baseUrl` alone does not
 * tell: it has the values of parameters, and the letters as the client wrote them.
 */
import { joinPrefixes } from '../templates';
import { type App, appPrefix, layerPaths, type Router, routerOf } from './layers';

interface MountedRequest {
  readonly baseUrl?: unknown;
  readonly app?: unknown;
}

/** A mount path that stands for itself. */
const LITERAL = /^[^:*?+(){}[\]\\]*$/;

/** The mount that was looked up last, which most requests share. */
let latest: { app: unknown; baseUrl: string; template: string } | undefined;

/**
 * @param request Node's, of Express or not
 * @returns the mount path as it was written, without a slash at its end; empty where there is none, where it has
 *   parameters or several forms, and where Express is not observed
 */
export function mountTemplate(request: object): string {
  const { baseUrl, app } = request as MountedRequest;
  if (typeof baseUrl !== 'string' || baseUrl === '') return '';
  if (latest === undefined || latest.baseUrl !== baseUrl || latest.app !== app) {
    latest = { app, baseUrl, template: lookUp(app, baseUrl.toLowerCase()) };
  }
  return latest.template;
}

function lookUp(app: unknown, baseUrl: string): string {
  const router = routerOf(app);
  const prefix = router && appPrefix(app as App);
  if (router === undefined || prefix === undefined || !LITERAL.test(prefix)) return '';
  if (prefix.toLowerCase() === baseUrl) return prefix;
  return isWithin(baseUrl, prefix) ? (mountIn(router, prefix, baseUrl, new Set()) ?? '') : '';
}

function mountIn(router: Router, prefix: string, baseUrl: string, outer: ReadonlySet<Router>): string | undefined {
  for (const layer of router.stack) {
    const template = layer.route === undefined ? layerPaths.get(layer)?.template : undefined;
    if (template === undefined || !LITERAL.test(template)) continue;
    const own = joinPrefixes(prefix, template);
    if (own.toLowerCase() === baseUrl) return own;
    const inner = layer.handle as Partial<Router> | undefined;
    if (!isWithin(baseUrl, own) || !Array.isArray(inner?.stack) || outer.has(inner as Router)) continue;
    const found = mountIn(inner as Router, own, baseUrl, new Set([...outer, router]));
    if (found !== undefined) return found;
  }
  return undefined;
}

function isWithin(baseUrl: string, prefix: string): boolean {
  return baseUrl.startsWith(`${prefix.toLowerCase()}/`);
}
