/**
 * Reports the route pattern of AdonisJS 6 and 7, with the prefixes of its groups.
 *
 * AdonisJS keeps the route that has matched on its context of the request. So that context is remembered when the server
 * makes it, and read at the end of the request; how AdonisJS matches is left alone.
 */

import { observes } from '../../diagnostics/observed';
import { guarded, type RouteState, setRouteState } from '../inbound/routes';
import type { Instrumentation } from '../instrumentation';
import { type EsModuleLocals, onEsModuleLoaded } from '../patching/es-module-load';
import { patchMethod } from '../patching/patch';

/** The part of AdonisJS's context of a request that is read. */
interface HttpContext {
  /** Set when a route has matched. */
  readonly route?: { readonly pattern?: unknown };
}

/** AdonisJS's request, around Node's. */
interface AdonisRequest {
  readonly request: object;
}

interface ServerPrototype {
  createHttpContext(request: AdonisRequest, ...rest: unknown[]): HttpContext;
  handle(): unknown;
}

const NAME = 'adonis';

const patched = new WeakSet<object>();
let isEnabled = false;

export function createAdonisInstrumentation(): Instrumentation {
  let endWatching: (() => void) | undefined;
  return {
    name: NAME,
    enable() {
      isEnabled = true;
      endWatching = onEsModuleLoaded(NAME, patchServer);
    },
    // the patch stays and passes calls through: a later start() finds it
    disable() {
      isEnabled = false;
      endWatching?.();
    },
  };
}

function patchServer({ Server }: EsModuleLocals): void {
  const prototype = (Server?.get() as { prototype?: ServerPrototype } | undefined)?.prototype;
  if (prototype === undefined || patched.has(prototype)) return;
  if (typeof prototype.createHttpContext !== 'function' || typeof prototype.handle !== 'function') return;
  patched.add(prototype);
  observes(NAME);
  patchMethod(
    prototype,
    'createHttpContext',
    (create) =>
      function (this: unknown, ...args) {
        const context: HttpContext = create.apply(this, args);
        if (isEnabled) {
          guarded(NAME, () => setRouteState((args[0] as AdonisRequest).request, new ContextRoute(context)));
        }
        return context;
      },
  );
}

/** The route of a context, as it is when it is asked for. */
class ContextRoute implements RouteState {
  /** By another framework, to which AdonisJS has handed the request. */
  private reported: string | undefined;

  constructor(private readonly context: HttpContext) {}

  get template(): string | undefined {
    const pattern = this.context.route?.pattern;
    return this.reported ?? (typeof pattern === 'string' ? pattern : undefined);
  }

  set template(template: string | undefined) {
    this.reported = template;
  }
}
