/** A source that is loaded with the package that it observes, and costs a few names in a table until then. */
import { sharedState } from '../shared-state';
import type { Instrumentation } from './instrumentation';
import { onEsModuleLoaded } from './patching/es-module-load';
import { onFileLoaded } from './patching/module-load';
import { watchForUnseen } from './unseen-clients';

/** A package, and how it is found. */
interface ObservedPackage {
  /** Of its source. */
  readonly name: string;
  /** Ends of paths, as {@link onFileLoaded} takes them. */
  readonly files: readonly string[];
  /** Names of rules, as {@link onEsModuleLoaded} takes them. */
  readonly esModules: readonly string[];
  /** Where its servers listen by default. */
  readonly ports: readonly number[];
}

/**
 * Stands for a source until one of the files is loaded, or the application hands its package in by `observe`. From then
 * on the source watches for files by itself, and finds those of the package that were loaded before.
 * @param create loads and creates the source, once
 */
export function whenFileLoaded(
  { name, files, esModules, ports }: ObservedPackage,
  create: () => Instrumentation,
): Instrumentation {
  let source: Instrumentation | undefined;
  let isEnabled = false;
  let undo: (() => void)[] = [];
  return {
    name,
    enable(context) {
      const enableSource = () => {
        source ??= create();
        if (isEnabled) return source;
        isEnabled = true;
        source.enable(context);
        return source;
      };
      undo = [
        ...files.map((file) => onFileLoaded(file, () => void enableSource())),
        ...esModules.map((rule) => onEsModuleLoaded(rule, () => void enableSource())),
      ];

      // after the files: a package that was found by them is patched already
      const { observed, onObserved } = sharedState();
      const handedIn = (prototype: object, sourceName: string) => {
        if (sourceName === name) enableSource().observe?.(prototype);
      };
      for (const [prototype, sourceName] of observed) handedIn(prototype, sourceName);
      onObserved.add(handedIn);
      undo.push(() => onObserved.delete(handedIn));
      if (ports.length > 0) undo.push(watchForUnseen({ name, ports, isSeen: () => isEnabled }));
    },
    disable() {
      for (const end of undo) end();
      source?.disable();
    },
    isSeen: () => isEnabled,
  };
}
