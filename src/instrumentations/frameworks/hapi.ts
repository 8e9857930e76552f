/**
 * Reports the route template of Hapi 21, with the prefixes of plugins.
 *
 * Hapi has no event between matching and its first extension point, so `Request.prototype._lookup`, which does the
 * matching, is patched. `onRequest` extensions run before it: a response from them has no route.
 */

import { observes } from '../../diagnostics/observed';
import { guarded, setRoute } from '../inbound/routes';
import type { Instrumentation } from '../instrumentation';
import { onFileLoaded } from '../patching/module-load';
import { patchMethod } from '../patching/patch';

/** The part of Hapi's request that is read. */
interface HapiRequest {
  readonly raw: { readonly req: object };
  readonly route: { readonly path: unknown };
  /** The private side of the route; it is special for no route, a bad path and a preflight. */
  readonly _route: { readonly _special: unknown };
}

interface RequestPrototype {
  _lookup(this: HapiRequest): unknown;
  _execute(): unknown;
}

const NAME = 'hapi';
/** Without the package's folder, which an alias may rename; the exports are checked. */
const FILE = '/lib/request.js';

let isEnabled = false;

export function createHapiInstrumentation(): Instrumentation {
  let endWatching: (() => void) | undefined;
  return {
    name: NAME,
    enable() {
      isEnabled = true;
      endWatching = onFileLoaded(FILE, patchRequest);
    },
    // the patch stays and passes calls through: a later start() finds it
    disable() {
      isEnabled = false;
      endWatching?.();
    },
  };
}

/** @param exported by any file of that name */
export function patchRequest(exported: unknown): void {
  if (typeof exported !== 'function') return;
  const prototype = exported.prototype as RequestPrototype | undefined;
  if (typeof prototype?._lookup !== 'function' || typeof prototype._execute !== 'function') return;
  observes(NAME);
  patchMethod(
    prototype,
    '_lookup',
    (lookup) =>
      function (this: HapiRequest, ...args) {
        const result = lookup.apply(this, args);
        if (isEnabled) guarded(NAME, () => reportRoute(this));
        return result;
      },
  );
}

function reportRoute(request: HapiRequest): void {
  const { path } = request.route;
  if (request._route._special === false && typeof path === 'string') setRoute(request.raw.req, path);
}
