/**
 * Reports the route template of h3 1 and 2, with the prefixes of mounted and nested routers, and so of Nitro and of what
 * is built on it, such as Nuxt.
 *
 * Both versions leave the matched route in `event.context.matchedRoute`. A getter (1) and a method (2) that a router
 * passes before it matches are patched: there an event is linked to Node's request, and the part of its path that is
 * going to be matched is noted. Both belong to classes that Nitro puts into its output whole, so they are found there.
 */
import { observes } from '../../../diagnostics/observed';
import { routeFailed, routeStateOf, setRouteState } from '../../inbound/routes';
import type { Instrumentation } from '../../instrumentation';
import { onEsModuleLoaded } from '../../patching/es-module-load';
import { onFileLoaded } from '../../patching/module-load';
import { patchGetter, patchMethod } from '../../patching/patch';
import { rawPath } from '../../request-target';
import { mountTemplate } from '../express/mount-template';
import { H3Route, NAME } from './h3-route';

/** The part of an event of h3 1 that is read. */
interface EventOf1 {
  readonly node: {
    readonly req: {
      readonly url?: string;
      readonly originalUrl?: string;
      /** Of Express. */
      readonly baseUrl?: unknown;
    };
  };
  readonly context: object;
}

/** The part of an event of h3 2 that is read. */
interface EventOf2 {
  /** `runtime` is set by srvx; a request within the process has none. */
  readonly req: { readonly runtime?: { readonly node?: { readonly req?: object } } };
  readonly context: object;
  readonly url: { readonly pathname: string };
}

/** Of CommonJS, and of an ES module that CommonJS requires. An alias of the package is found by the end of its name. */
const FILES = ['h3/dist/index.cjs', 'h3/dist/_entries/node.mjs'];

/** What is patched stays so, and passes calls through: a later start() finds it. */
const patched = new WeakSet<object>();
let isEnabled = false;

export function createH3Instrumentation(): Instrumentation {
  let undo: (() => void)[] = [];
  return {
    name: NAME,
    enable() {
      isEnabled = true;
      undo = [
        ...FILES.map((file) => onFileLoaded(file, (exported) => patchClasses(exported as Classes))),
        onEsModuleLoaded(NAME, ({ H3Core, H3Event }) => {
          patchClasses({ H3Core: H3Core?.get(), H3Event: H3Event?.get() });
        }),
      ];
    },
    disable() {
      isEnabled = false;
      for (const end of undo) end();
    },
    observe: patchPrototype,
  };
}

interface Classes {
  readonly H3Core?: unknown;
  readonly H3Event?: unknown;
}

function patchClasses({ H3Core, H3Event }: Classes): void {
  for (const candidate of [H3Core, H3Event]) if (typeof candidate === 'function') patchPrototype(candidate.prototype);
}

/** @param prototype of H3Event of h3 1, or of H3Core of h3 2; others are left alone */
export function patchPrototype(prototype: object): void {
  if (patched.has(prototype)) return;
  const isOf1 = ['path', 'method', 'handled'].every((name) => getterOf(prototype, name) !== undefined);
  const isOf2 = ['handler', 'fetch', '~request'].every((name) => typeof ownValue(prototype, name) === 'function');
  if (!isOf1 && !isOf2) return;
  patched.add(prototype);
  observes(NAME);
  if (isOf1) patchEventOf1(prototype as { path: string });
  else patchCoreOf2(prototype as { handler(event: EventOf2): unknown });
}

function getterOf(prototype: object, name: string): (() => unknown) | undefined {
  return Object.getOwnPropertyDescriptor(prototype, name)?.get;
}

function ownValue(prototype: object, name: string): unknown {
  return Object.getOwnPropertyDescriptor(prototype, name)?.value;
}

/** The path is what a router reads last before it matches. */
function patchEventOf1(prototype: { path: string }): void {
  patchGetter(
    prototype,
    'path',
    (path) =>
      function (this: EventOf1) {
        const value = path.call(this) as string;
        if (isEnabled) noteIn1(this, value);
        return value;
      },
  );
}

/** An application binds the method when it is created, so those that exist already go on without. */
function patchCoreOf2(prototype: { handler(event: EventOf2): unknown }): void {
  patchMethod(
    prototype,
    'handler',
    (handler) =>
      function (this: unknown, event: EventOf2) {
        if (isEnabled) noteIn2(event);
        return handler.call(this, event);
      },
  );
}

/** Does not throw. */
function noteIn1(event: EventOf1, path: string): void {
  try {
    const { req } = event.node;
    const route = routeStateOf(req);
    if (route instanceof H3Route) route.note(event.context, path);
    else setRouteState(req, new H3Route(event.context, path, mountTemplate(req), () => wholePathOf(req)));
  } catch (error) {
    routeFailed(NAME, error);
  }
}

/** h3 1 shortens `url` as Express does, and leaves the path that both were given in the same property. */
function wholePathOf({ originalUrl, url, baseUrl }: EventOf1['node']['req']): string {
  const path = rawPath(originalUrl ?? url ?? '');
  return typeof baseUrl === 'string' && path.startsWith(baseUrl) ? path.slice(baseUrl.length) : path;
}

/** Does not throw. */
function noteIn2(event: EventOf2): void {
  try {
    const request = event.req.runtime?.node?.req;
    if (request === undefined) return;
    const { pathname } = event.url;
    const route = routeStateOf(request);
    if (route instanceof H3Route) route.note(event.context, pathname);
    // the path of the first, outermost application is not shortened
    else setRouteState(request, new H3Route(event.context, pathname, mountTemplate(request), () => pathname));
  } catch (error) {
    routeFailed(NAME, error);
  }
}
