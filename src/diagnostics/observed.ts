/**
 * What the log says of the sources of measurements: which of them have found what they observe. The start line names
 * those that have by then, and each of the others has a line of its own when it does.
 */
import { logLine } from './log';

const found = new Set<string>();
/** Told of each source once; undefined while nobody counts. */
let onFound: ((source: string) => void) | undefined;
/** Sources that are switched on; undefined while this process has not logged a start line. */
let announced: readonly string[] | undefined;

/** A source has found what it observes. May be told again and again. */
export function observes(source: string): void {
  if (found.has(source)) return;
  found.add(source);
  onFound?.(source);
  if (announced?.includes(source)) logLine('info', `observes ${source} from now on`);
}

/**
 * Those that are found from now on are logged.
 * @param sources that are switched on
 * @returns those of them that have found something
 */
export function announceObserved(sources: readonly string[]): string[] {
  announced = sources;
  return sources.filter((source) => found.has(source));
}

/** Nothing is logged any more. */
export function endAnnouncing(): void {
  announced = undefined;
}

/**
 * Counts sources that have found what they observe.
 * @param listener told of those that have by now, and of each further one; undefined ends it
 */
export function countObserved(listener: ((source: string) => void) | undefined): void {
  onFound = listener;
  if (listener !== undefined) for (const source of found) listener(source);
}
