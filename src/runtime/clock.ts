/** The monotonic clock that every duration is taken from. */
import { performance } from 'node:perf_hooks';

// bound while loading: fake timers in an application's tests replace performance.now
const read = performance.now.bind(performance);

/** Milliseconds since a fixed moment in the past, with a resolution well below a millisecond. */
export function nowMs(): number {
  return read();
}
