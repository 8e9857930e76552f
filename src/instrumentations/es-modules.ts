/** Which ES modules the sources want to see, and whether this application can have them. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { installedAmong, isEsModule, mainScript } from '../runtime/application-packages';
import { NEEDS_LOADER_THREAD, watchEsModules } from './patching/es-module-load';
import type { EsModuleRule } from './patching/es-module-source';

/** Files of a package, or of what an application is built into. */
export interface WantedEsModule extends EsModuleRule {
  /** Watched where one of them is installed. */
  readonly packages: readonly string[];
  /** Watched where the main script's path, with slashes, fits: a built application may lack its framework's package. */
  readonly script?: RegExp;
  /** The same where all of these lie beside the main script, as a framework's build leaves them. */
  readonly beside?: readonly string[];
}

/**
 * Watches for those that the application may load. Where Node needs a thread for it, an application whose main script
 * is CommonJS does without: it loads what it requires as CommonJS.
 * @returns a function that ends it
 */
export function watchWantedEsModules(wanted: readonly WantedEsModule[]): () => void {
  const main = mainScript()?.replaceAll('\\', '/');
  if (main === undefined || (NEEDS_LOADER_THREAD && !isEsModule(main))) return () => undefined;
  const installed = installedAmong([...new Set(wanted.flatMap(({ packages }) => packages))]);
  const isBeside = (name: string) => existsSync(join(dirname(main), name));
  const possible = wanted.filter(
    ({ packages, script, beside }) =>
      script?.test(main) === true || beside?.every(isBeside) === true || packages.some((name) => installed.has(name)),
  );
  if (possible.length === 0) return () => undefined;
  return watchEsModules(possible.map(({ name, path, contains, locals }) => ({ name, path, contains, locals })));
}
