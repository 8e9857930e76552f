/** One `exit` listener for the whole process, however many parts have something to do at its end. */

const callbacks = new Set<() => void>();

/**
 * Calls back when the process, or the thread, ends by itself or by an error; only synchronous work is done then.
 * @returns a function that takes the callback back
 */
export function onProcessExit(callback: () => void): () => void {
  if (callbacks.size === 0) process.on('exit', runAll);
  callbacks.add(callback);
  return () => {
    callbacks.delete(callback);
    if (callbacks.size === 0) process.off('exit', runAll);
  };
}

function runAll(): void {
  for (const callback of callbacks) callback();
}
