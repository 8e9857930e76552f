/**
 * Calls back when a CommonJS file of a package has been loaded, so that its exports can be patched in place.
 *
 * It wraps Module.prototype.load, which runs once per file, for `require` and for `import` of CommonJS alike.
 * require-in-the-middle wraps `require` and so does not see a package that an ES module imports; import-in-the-middle
 * needs a loader thread.
 */
import Module from 'node:module';
import { doNoHarm } from './do-no-harm';
import { patchMethod } from './patch';

interface LoadedModule {
  exports: unknown;
}

interface ModulePrototype {
  load(this: LoadedModule, filename: string, ...rest: unknown[]): unknown;
}

type OnLoaded = (exports: unknown, filename: string) => void;

const prototype = (Module as unknown as { prototype: ModulePrototype }).prototype;

/** Watches the loading of files; exists from the first listener to the last. */
class LoadWatch {
  private readonly listeners = new Map<string, Set<OnLoaded>>();
  private readonly restore: () => void;

  constructor() {
    const onLoaded = (module: LoadedModule, filename: string) => this.loaded(module, filename);
    this.restore = patchMethod(prototype, 'load', (load, isInForce) => {
      return function (this: LoadedModule, filename: string, ...rest: unknown[]) {
        const result = load.call(this, filename, ...rest);
        if (isInForce()) onLoaded(this, filename);
        return result;
      };
    });
  }

  add(ending: string, onLoaded: OnLoaded): void {
    const others = this.listeners.get(ending);
    if (others === undefined) this.listeners.set(ending, new Set([onLoaded]));
    else others.add(onLoaded);
  }

  /** @returns whether there are no listeners any more; then Node's own method is back */
  remove(ending: string, onLoaded: OnLoaded): boolean {
    const listeners = this.listeners.get(ending);
    listeners?.delete(onLoaded);
    if (listeners?.size === 0) this.listeners.delete(ending);
    if (this.listeners.size > 0) return false;
    this.restore();
    return true;
  }

  private loaded(module: LoadedModule, filename: string): void {
    const path = packagePath(filename);
    if (path === undefined) return;
    // collected first: a listener may add others, and they are called for what is loaded already when they are added
    const wanted: OnLoaded[] = [];
    for (const [ending, listeners] of this.listeners) if (path.endsWith(ending)) wanted.push(...listeners);
    for (const onLoaded of wanted) call(onLoaded, module, filename);
  }
}

let watch: LoadWatch | undefined;

/**
 * Calls back for every file whose path ends in a certain way: those that are loaded already, and each that will be. An
 * ES module's static imports have run before its first line can call start().
 * @param ending within the folder of packages, with slashes, as `/express/lib/router/index.js`
 * @param onLoaded called once per loaded copy; what it throws is dropped
 * @returns a function that ends it
 */
export function onFileLoaded(ending: string, onLoaded: OnLoaded): () => void {
  for (const [filename, module] of Object.entries(require.cache)) {
    if (module?.loaded === true && packagePath(filename)?.endsWith(ending)) call(onLoaded, module, filename);
  }
  // each listener is one of its own, also where the same function listens twice
  const listener: OnLoaded = (exported, filename) => onLoaded(exported, filename);
  watch ??= new LoadWatch();
  watch.add(ending, listener);
  return () => {
    if (watch?.remove(ending, listener)) watch = undefined;
  };
}

/** @returns the path with slashes; undefined for what is no file of a package */
function packagePath(filename: string): string | undefined {
  if (typeof filename !== 'string' || !filename.includes('node_modules')) return undefined;
  return filename.includes('\\') ? filename.replaceAll('\\', '/') : filename;
}

/** A package that looks other than expected is left as it is. */
function call(onLoaded: OnLoaded, { exports }: LoadedModule, filename: string): void {
  doNoHarm(
    () => onLoaded(exports, filename),
    () => undefined,
  );
}
