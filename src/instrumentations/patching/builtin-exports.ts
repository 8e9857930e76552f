/**
 * Makes replaced functions of a builtin visible to ES modules, whose `import { request } from 'node:http'` reads a binding
 * of its own.
 *
 * `syncBuiltinESMExports()` brings all bindings of all builtins up to date, and so also publishes what other agents have
 * replaced for CommonJS alone. The first import of a builtin does so too; therefore it matters only after that, which is
 * certain once the application's own ES modules run. Then everything of others is put back while the bindings are
 * brought up to date, by what the bindings hold.
 *
 * Not covered: releases of Node before 20.19 and 22.12, which cannot read bindings synchronously; ES modules that were
 * imported before us by another `--import`, or by an application of CommonJS. To read the bindings of a builtin is to
 * import it: where no ES module had done so yet, what others replace later would no longer be published by the first.
 */
import Module, { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';
import { doNoHarm } from './do-no-harm';

type Exports = Record<string, unknown>;

/** Builtins whose functions agents and test tools replace; those that have not been loaded are as they were. */
const BUILTINS = ['child_process', 'dns', 'fs', 'fs/promises', 'http', 'http2', 'https', 'net', 'timers', 'tls'];

/**
 * @param own names of the exports that are to become visible, by builtin; each has just been replaced or put back
 */
export function publishExports(own: Readonly<Record<string, readonly string[]>>): void {
  const restore: (() => void)[] = [];
  try {
    if (isEsmApplication()) doNoHarm(() => hideOthers(own, restore), ignore);
    syncBuiltinESMExports();
  } finally {
    for (const put of restore) put();
  }
}

/** Whether the program itself is an ES module, and it, or what it imports, is running. */
function isEsmApplication(): boolean {
  const { execArgv, env } = process;
  const isAfterPreloads = performance.nodeTiming.bootstrapComplete > 0 && process.argv[1] !== undefined;
  const hasImported = [...execArgv, env.NODE_OPTIONS ?? ''].some((text) =>
    /--(import|(experimental-)?loader)\b/.test(text),
  );
  const isProgramEsm = isAfterPreloads && !hasImported && require.main === undefined;
  return isProgramEsm && isMainThread && canReadBindings();
}

function canReadBindings(): boolean {
  return (process.features as { require_module?: boolean }).require_module === true;
}

/**
 * Gives every export that ES modules see otherwise the value that they see.
 * @param restore gets what puts the values back, one by one
 */
function hideOthers(own: Readonly<Record<string, readonly string[]>>, restore: (() => void)[]): void {
  for (const [id, bindings] of Object.entries(readBindings())) {
    const exports = require(id) as Exports;
    for (const [name, seen] of Object.entries(bindings)) {
      const descriptor = Object.getOwnPropertyDescriptor(exports, name);
      if (own[id]?.includes(name) || descriptor?.configurable !== true) continue;
      // an accessor is left to itself: what it gives may be made at each reading
      if (!('value' in descriptor) || descriptor.value === seen) continue;
      Object.defineProperty(exports, name, { ...descriptor, value: seen });
      restore.push(() => Object.defineProperty(exports, name, descriptor));
    }
  }
}

/** Namespaces of the builtins that are loaded, read by an ES module that exists in memory alone. */
function readBindings(): Record<string, Exports> {
  const loaded = (process as unknown as { moduleLoadList: readonly string[] }).moduleLoadList;
  const ids = BUILTINS.filter((id) => loaded.includes(`NativeModule ${id}`));
  const text = ids.map((id, index) => `export * as _${index} from 'node:${id}';`).join('\n');
  // under one name it is compiled once; the list only grows
  const filename = join(__dirname, `bindings-${ids.length}.mjs`);
  const reader = new Module(filename) as unknown as {
    exports: Record<string, Exports>;
    _compile(text: string, filename: string, format: 'module'): void;
  };
  reader._compile(text, filename, 'module');
  return Object.fromEntries(ids.map((id, index) => [id, reader.exports[`_${index}`] as Exports]));
}

function ignore(): void {}
