/**
 * Calls back when an ES module of a package has been evaluated, with what it has at its top level.
 *
 * Node's loader shows its source to hooks: in the application's thread from Node 22.15 on, in a thread of their own
 * before, which takes 50 ms and 11 MB. So nothing is hooked until somebody asks for rules to be watched.
 */
import Module from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { doNoHarm } from './do-no-harm';
import { type EsModuleRule, RECEIVER, withHandover } from './es-module-source';

/** A class, a function or a variable in the scope of a module, by its name there. */
export interface EsModuleLocal {
  /** @returns undefined where the module has none of that name */
  get(): unknown;
  /** Replaces it for the module and all that import it; throws where it is a constant or an import. */
  set(value: unknown): void;
}

export type EsModuleLocals = Readonly<Record<string, EsModuleLocal | undefined>>;

type OnLoaded = (locals: EsModuleLocals) => void;

interface Loaded {
  readonly format?: unknown;
  readonly source?: unknown;
}

/** Since Node 22.15; not in the types of Node 20. */
interface SynchronousHooks {
  registerHooks?(hooks: {
    load(url: string, context: unknown, next: (url: string, context: unknown) => Loaded): Loaded;
  }): { deregister(): void };
}

const RECEIVER_KEY = Symbol.for(RECEIVER);
const { registerHooks } = Module as unknown as SynchronousHooks;

const listeners = new Map<string, Set<OnLoaded>>();
/** What has been handed over so far, for those who listen later: the files of a few packages, once each. */
const received = new Map<string, EsModuleLocals[]>();
/** The loader's thread cannot be ended, and keeps its rules. */
let hasThread = false;

/** Whether this Node has to start a thread before it shows the source of a module. */
export const NEEDS_LOADER_THREAD = registerHooks === undefined;

/**
 * Has the modules that fit hand over what they have, from now on: those that are loaded already cannot any more.
 * @returns a function that ends it; in Node before 22.15 modules go on to hand over, to nobody
 */
export function watchEsModules(rules: readonly EsModuleRule[]): () => void {
  const holder = globalThis as { [RECEIVER_KEY]?: (name: string, locals: EsModuleLocals) => void };
  // another copy of this package may have modules handed over too
  const others = holder[RECEIVER_KEY];
  const receive = (name: string, locals: EsModuleLocals) => {
    others?.(name, locals);
    received.set(name, [...(received.get(name) ?? []), locals]);
    for (const onLoaded of listeners.get(name) ?? []) call(onLoaded, locals);
  };
  holder[RECEIVER_KEY] = receive;
  const endHooks = hook(rules);
  return () => {
    endHooks();
    if (holder[RECEIVER_KEY] !== receive) return;
    if (others === undefined) delete holder[RECEIVER_KEY];
    else holder[RECEIVER_KEY] = others;
  };
}

/**
 * Calls back for every module of a rule: those that have been handed over, and each that will be.
 * @param name of the rule
 * @param onLoaded what it throws is dropped
 * @returns a function that ends it
 */
export function onEsModuleLoaded(name: string, onLoaded: OnLoaded): () => void {
  for (const locals of received.get(name) ?? []) call(onLoaded, locals);
  const listener: OnLoaded = (locals) => onLoaded(locals);
  listeners.set(name, (listeners.get(name) ?? new Set()).add(listener));
  return () => listeners.get(name)?.delete(listener);
}

/** @returns a function that takes the hooks away again, where that is possible */
function hook(rules: readonly EsModuleRule[]): () => void {
  if (registerHooks !== undefined) {
    const hooks = registerHooks({
      load(url, context, next) {
        const loaded = next(url, context);
        const source = loaded.format === 'module' ? withHandover(rules, url, loaded.source) : undefined;
        return source === undefined ? loaded : { ...loaded, source };
      },
    });
    return () => hooks.deregister();
  }
  if (!hasThread) {
    const file = join(__dirname, 'es-module-thread.js');
    Module.register(pathToFileURL(file), { data: rules });
    hasThread = true;
  }
  return () => undefined;
}

/** A package that looks other than expected is left as it is. */
function call(onLoaded: OnLoaded, locals: EsModuleLocals): void {
  doNoHarm(
    () => onLoaded(locals),
    () => undefined,
  );
}
