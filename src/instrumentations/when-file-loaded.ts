/** A source that is loaded with the package that it observes, and costs a few names in a table until then. */
import type { Instrumentation } from './instrumentation';
import { offFileLoaded, onFileLoaded } from './patching/module-load';

/**
 * Stands for a source until one of the files is loaded. Files of the package that were loaded before are the source's
 * business: it is told of them when it asks for them.
 * @param files ends of paths, as {@link onFileLoaded} takes them
 * @param create loads and creates the source, once
 */
export function whenFileLoaded(name: string, files: readonly string[], create: () => Instrumentation): Instrumentation {
  let source: Instrumentation | undefined;
  return {
    name,
    enable(context) {
      let isWanted = true;
      for (const file of files) {
        // the source listens for itself from then on
        if (!isWanted) return;
        onFileLoaded(file, () => {
          if (!isWanted) return;
          isWanted = false;
          source ??= create();
          source.enable(context);
        });
      }
    },
    disable() {
      for (const file of files) offFileLoaded(file);
      source?.disable();
    },
  };
}
