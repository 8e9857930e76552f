/** Being told when Node has handed a chunk to the operating system: by the callback of `write`. */

/** @param error why the chunk was not written */
export type OnWritten = (error?: Error | null) => void;

/**
 * Adds a callback to the arguments of `write`, before the application's own.
 * @param args chunk, encoding and callback, of which the last two may be left out
 */
export function withCallback(args: readonly unknown[], onWritten: OnWritten): unknown[] {
  const at = typeof args[1] === 'function' ? 1 : 2;
  const own = args[at];
  const both = function (this: unknown, ...results: [(Error | null)?]) {
    onWritten(...results);
    return typeof own === 'function' ? own.apply(this, results) : undefined;
  };
  return at === 1 ? [args[0], both] : [args[0], args[1], both];
}
