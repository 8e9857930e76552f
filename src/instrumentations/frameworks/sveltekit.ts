/**
 * Reports the route id of SvelteKit 2 and 3 in servers built by its adapter for Node, such as `/blog/[slug]`, with the
 * base path.
 *
 * SvelteKit calls the application's hook `handle` for each request whose route it has looked for, and its adapter passes
 * Node's request along with the event. So that hook is replaced, when the server starts: SvelteKit 2 sets the hooks on the
 * options in a variable of a built module, SvelteKit 3 by a function there. Nothing is matched again.
 */

import { observes } from '../../diagnostics/observed';
import { guarded, setRoute } from '../inbound/routes';
import type { Instrumentation } from '../instrumentation';
import { type EsModuleLocal, type EsModuleLocals, onEsModuleLoaded } from '../patching/es-module-load';
import { imitate, patchMethod } from '../patching/patch';
import { joinTemplates } from './templates';

/** The part of SvelteKit's event that is read. */
interface RequestEvent {
  readonly platform?: { readonly req?: unknown };
  readonly route?: { readonly id?: unknown };
  /** A fetch of the server from itself, within another request. */
  readonly isSubRequest?: unknown;
  /** A call of a remote function: its route is that of the page that calls. */
  readonly isRemoteRequest?: unknown;
}

interface Hooks {
  handle(input: { readonly event: RequestEvent }): unknown;
}

/** Of the server: the hooks are null until it starts. */
interface Options {
  hooks: Hooks | null;
  readonly app_template_contains_nonce?: unknown;
}

/** Where the built files lie: `_app`, and below the base path `shop/_app`; under other names from SvelteKit 3 on. */
interface Manifest {
  readonly appDir?: unknown;
  readonly appPath?: unknown;
  readonly app_dir?: unknown;
  readonly app_path?: unknown;
}

const NAME = 'sveltekit';

const patched = new WeakSet<object>();
/** Of the application: there is one in a process. */
let basePath = '';
let isEnabled = false;

export function createSveltekitInstrumentation(): Instrumentation {
  let endWatching: (() => void) | undefined;
  return {
    name: NAME,
    enable() {
      isEnabled = true;
      endWatching = onEsModuleLoaded(NAME, readModule);
    },
    // the patch stays and passes calls through: a later start() finds it
    disable() {
      isEnabled = false;
      endWatching?.();
    },
  };
}

function readModule({ set_hooks, ...variables }: EsModuleLocals): void {
  if (set_hooks !== undefined) observeSetting(set_hooks);
  for (const local of Object.values(variables)) {
    const value = local?.get();
    if (typeof value !== 'object' || value === null) continue;
    const { app_dir, app_path, appDir = app_dir, appPath = app_path } = value as Manifest;
    if (typeof appDir === 'string' && typeof appPath === 'string') basePath = basePathOf(appPath, appDir);
    if ('hooks' in value && 'app_template_contains_nonce' in value) watchHooks(value as Options);
  }
}

function basePathOf(appPath: string, appDir: string): string {
  return appPath.endsWith(`/${appDir}`) ? `/${appPath.slice(0, -appDir.length - 1)}` : '';
}

/** In SvelteKit 3 the module that has the function is loaded before the server starts. */
function observeSetting(local: EsModuleLocal): void {
  const set = local.get();
  if (typeof set !== 'function' || patched.has(set)) return;
  const observed = function (this: unknown, hooks: Hooks, ...rest: unknown[]) {
    guarded(NAME, () => patchHandle(hooks));
    return set.call(this, hooks, ...rest);
  };
  imitate(observed, set);
  patched.add(observed);
  observes(NAME);
  local.set(observed);
}

/** In SvelteKit 2 they come with the start of the server, which may have been or is to be. */
function watchHooks(options: Options): void {
  const plain = Object.getOwnPropertyDescriptor(options, 'hooks');
  if (patched.has(options) || plain?.configurable !== true || plain.writable !== true) return;
  patched.add(options);
  observes(NAME);
  let { hooks } = options;
  if (hooks !== null) patchHandle(hooks);
  Object.defineProperty(options, 'hooks', {
    get: () => hooks,
    set(given: Hooks) {
      hooks = given;
      guarded(NAME, () => patchHandle(given));
    },
    configurable: true,
    enumerable: true,
  });
}

function patchHandle(hooks: Hooks): void {
  if (typeof hooks?.handle !== 'function' || patched.has(hooks)) return;
  patched.add(hooks);
  patchMethod(
    hooks,
    'handle',
    (handle) =>
      function (this: unknown, ...args) {
        if (isEnabled) guarded(NAME, () => reportRoute((args[0] as { event: RequestEvent }).event));
        return handle.apply(this, args);
      },
  );
}

function reportRoute({ platform, route, isSubRequest, isRemoteRequest }: RequestEvent): void {
  const request = platform?.req;
  if (typeof request !== 'object' || request === null || isSubRequest || isRemoteRequest) return;
  if (typeof route?.id === 'string') setRoute(request, joinTemplates(basePath, route.id));
}
