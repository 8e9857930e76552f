/** A source that is loaded with the package that it observes, and costs a few names in a table until then. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { sharedState } from '../shared-state';
import type { Instrumentation } from './instrumentation';
import { doNoHarm } from './patching/do-no-harm';
import { onEsModuleLoaded } from './patching/es-module-load';
import { onFileLoaded } from './patching/module-load';
import { explainPorts, watchForUnseen } from './unseen-clients';

/** A channel of node:diagnostics_channel by which a package tells of the objects that it makes. */
export interface InstanceChannel {
  readonly name: string;
  /** @returns what the source is to observe; undefined for other objects. May throw */
  prototypeOf(message: unknown): object | undefined;
}

/** A package, and how it is found. */
interface ObservedPackage {
  /** Of its source. */
  readonly name: string;
  /** Ends of paths, as {@link onFileLoaded} takes them. */
  readonly files: readonly string[];
  /** Names of rules, as {@link onEsModuleLoaded} takes them. */
  readonly esModules: readonly string[];
  readonly channel: InstanceChannel | undefined;
  /** Where its servers listen by default. */
  readonly ports: readonly number[];
  /** Where another package is expected by its own {@link ports}. */
  readonly sharedPorts: readonly number[];
}

/**
 * Stands for a source until one of the files is loaded, or the application hands its package in by `observe`. From then
 * on the source watches for files by itself, and finds those of the package that were loaded before.
 * @param create loads and creates the source, once
 */
export function whenFileLoaded(
  { name, files, esModules, channel, ports, sharedPorts }: ObservedPackage,
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
        explainPorts(sharedPorts);
        return source;
      };
      undo = [
        ...files.map((file) => onFileLoaded(file, () => void enableSource())),
        ...esModules.map((rule) => onEsModuleLoaded(rule, () => void enableSource())),
      ];
      if (channel !== undefined) {
        const onInstance = (message: unknown) => {
          const prototype = doNoHarm(() => channel.prototypeOf(message), ignore);
          if (prototype !== undefined) doNoHarm(() => enableSource().observe?.(prototype), ignore);
        };
        subscribe(channel.name, onInstance);
        undo.push(() => unsubscribe(channel.name, onInstance));
      }

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

/** What a subscriber throws would end the application. */
function ignore(): void {}
