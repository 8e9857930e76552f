/**
 * Reports the route template of Next.js 14 to 16, such as `/blog/[slug]`, with the base path (from 15.5 on).
 *
 * Next.js stores its state of a request on Node's request object, under a registered symbol. It is read at the end of
 * the request; nothing is patched, so a standalone build is observed as well.
 */

import { observes } from '../../diagnostics/observed';
import { addRouteLookup, guarded, removeRouteLookup } from '../inbound/routes';
import type { Instrumentation } from '../instrumentation';
import { joinTemplates } from './templates';

/** The part of Next.js's state of a request that is read. */
interface RequestMeta {
  /** The page or route handler that ran last. */
  readonly match?: { readonly definition?: { readonly pathname?: unknown } };
  /** The page or route handler that was chosen, also when an error page ran after it. */
  readonly invokeOutput?: unknown;
  /** Key of the application in {@link Servers}. */
  readonly relativeProjectDir?: unknown;
}

/** The applications in this process. */
type Servers = Readonly<Record<string, { readonly nextConfig?: { readonly basePath?: unknown } } | undefined>>;

const NAME = 'next';
const META = Symbol.for('NextInternalRequestMeta');
const SERVERS = Symbol.for('@next/router-server-methods');
/** They run in place of a page that failed. */
const ERROR_PAGES: ReadonlySet<unknown> = new Set(['/_error', '/_global-error', '/_not-found', '/404', '/500']);

export function createNextInstrumentation(): Instrumentation {
  return {
    name: NAME,
    enable: () => addRouteLookup(nextRoute),
    disable: () => removeRouteLookup(nextRoute),
  };
}

/** @returns undefined where Next.js had no page or route handler for the request, or was not asked */
export function nextRoute(request: object): string | undefined {
  // an own property: without Next.js, a plain read would search the whole prototype chain
  return Object.hasOwn(request, META) ? routeFrom((request as { [META]: RequestMeta })[META]) : undefined;
}

function routeFrom(meta: RequestMeta): string | undefined {
  let route: string | undefined;
  guarded(NAME, () => {
    observes(NAME);
    const last = meta.match?.definition?.pathname;
    const template = ERROR_PAGES.has(last) ? meta.invokeOutput : last;
    if (typeof template !== 'string') return;
    route = joinTemplates(basePath(meta.relativeProjectDir), template);
  });
  return route;
}

function basePath(project: unknown): string {
  if (typeof project !== 'string') return '';
  const base = (globalThis as { [SERVERS]?: Servers })[SERVERS]?.[project]?.nextConfig?.basePath;
  return typeof base === 'string' ? base : '';
}
