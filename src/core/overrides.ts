/**
 * Codes that the application has set by itself, and the exporter that runs in this process: shared by every copy of
 * the package that is loaded, so that two copies are one exporter.
 */

import type { Recorder } from './measurement';

/** What copies of this package share; its shape is fixed by the key's version. */
export interface SharedState {
  readonly businessCodes: WeakMap<object, string>;
  readonly methodCodes: WeakMap<object, string>;
  /** What `start()` gave back; undefined while nothing runs. */
  running: unknown;
  /** Whether it has been said that the exporter is switched off. */
  hasSaidOff: boolean;
  /** What wrapped functions of the application record to; undefined while nothing runs. */
  recorder: Recorder | undefined;
}

const KEY = Symbol.for('channel-exporter.1');

/** The state of this process, created by the first copy that asks. */
export function sharedState(): SharedState {
  const holder = globalThis as { [KEY]?: SharedState };
  let state = holder[KEY];
  if (state === undefined) {
    state = {
      businessCodes: new WeakMap(),
      methodCodes: new WeakMap(),
      running: undefined,
      hasSaidOff: false,
      recorder: undefined,
    };
    Object.defineProperty(holder, KEY, { value: state });
  }
  return state;
}
