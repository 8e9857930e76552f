/** A source that is loaded with the package that it observes, and costs a few names in a table until then. */
import type { Instrumentation } from './instrumentation';
import { onFileLoaded } from './patching/module-load';

/**
 * Stands for a source until one of the files is loaded. From then on the source watches for files by itself, and finds
 * those of the package that were loaded before.
 * @param files ends of paths, as {@link onFileLoaded} takes them
 * @param create loads and creates the source, once
 */
export function whenFileLoaded(name: string, files: readonly string[], create: () => Instrumentation): Instrumentation {
  let source: Instrumentation | undefined;
  let endWatching: (() => void)[] = [];
  return {
    name,
    enable(context) {
      let isEnabled = false;
      const enableSource = () => {
        if (isEnabled) return;
        isEnabled = true;
        source ??= create();
        source.enable(context);
      };
      endWatching = files.map((file) => onFileLoaded(file, enableSource));
    },
    disable() {
      for (const end of endWatching) end();
      source?.disable();
    },
  };
}
