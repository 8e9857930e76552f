/**
 * Tells when a CommonJS file of a package has been loaded, so that its exports can be patched in place.
 *
 * It wraps Module.prototype.load, which runs once per file, for `require` and for `import` of CommonJS alike.
 * require-in-the-middle wraps `require` and so does not see a package that an ES module imports; import-in-the-middle
 * needs a loader thread.
 */
import Module from 'node:module';

interface LoadedModule {
  exports: unknown;
}

interface ModulePrototype {
  load(this: LoadedModule, filename: string): void;
}

type OnLoaded = (exports: unknown, filename: string) => void;

const prototype = (Module as unknown as { prototype: ModulePrototype }).prototype;
const listeners = new Map<string, OnLoaded>();
let original: ModulePrototype['load'] | undefined;
let wrapped: ModulePrototype['load'] | undefined;

/**
 * Calls back for every file whose path ends so: those that are loaded already, and each that will be. An ES module's
 * static imports have run before its first line can call start().
 * @param ending behind the package folder's parent, with slashes, as `/express/lib/router/index.js`
 * @param onLoaded called once per loaded copy; what it throws is dropped
 */
export function onFileLoaded(ending: string, onLoaded: OnLoaded): void {
  listeners.set(ending, onLoaded);
  for (const [filename, loaded] of Object.entries(require.cache)) {
    if (loaded?.loaded === true) announce(loaded, filename, [[ending, onLoaded]]);
  }
  if (original !== undefined) return;
  const inner = prototype.load;
  original = inner;
  wrapped = function load(filename) {
    inner.call(this, filename);
    if (listeners.size > 0) announce(this, filename, listeners);
  };
  prototype.load = wrapped;
}

/** Ends the calls for an ending; with the last one, Node's own method is put back where nobody has wrapped it since. */
export function offFileLoaded(ending: string): void {
  listeners.delete(ending);
  if (listeners.size > 0 || original === undefined || prototype.load !== wrapped) return;
  prototype.load = original;
  original = undefined;
}

function announce(loaded: LoadedModule, filename: string, wanted: Iterable<readonly [string, OnLoaded]>): void {
  if (typeof filename !== 'string' || !filename.includes('node_modules')) return;
  const path = filename.includes('\\') ? filename.replaceAll('\\', '/') : filename;
  for (const [ending, onLoaded] of wanted) {
    if (!path.endsWith(ending)) continue;
    try {
      onLoaded(loaded.exports, filename);
    } catch {
      // a package that looks other than expected is left as it is
    }
  }
}
