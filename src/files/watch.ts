/**
 * Rereads a file of the user's when it changes. A faulty new version is reported and the last good one stays.
 *
 * The file is looked at, not watched: notifications miss files that are replaced through a symbolic link (as a
 * mounted ConfigMap is) or that lie on a network file system.
 */
import { type Stats, unwatchFile, watchFile } from 'node:fs';
import { resolve } from 'node:path';
import { type FileKind, type RereadResult, rereadFile } from './reread';

/** Time between two looks, which are made off the main thread. */
const LOOK_EVERY_MS = 2_000;

/**
 * @param result gets each new version, good or bad
 * @returns a function that ends the watch
 */
export function watchAndReread<Item, Draft>(
  file: string,
  kind: FileKind<Item, Draft>,
  result: RereadResult<Draft>,
): () => void {
  // the application may change its working directory later
  const path = resolve(file);
  let endReading: () => void = () => undefined;
  const look = ({ size }: Stats) => {
    // of a version that is out of date by now
    endReading();
    endReading = rereadFile(path, size, kind, result);
  };
  const endWatch = watchPath(path, look);
  return () => {
    endWatch();
    endReading();
  };
}

/**
 * The same without reading it.
 * @param path absolute
 * @param look called when the file has changed, has come or is gone
 * @returns a function that ends the watch
 */
export function watchPath(path: string, look: (stats: Stats) => void): () => void {
  watchFile(path, { persistent: false, interval: LOOK_EVERY_MS }, look);
  return () => unwatchFile(path, look);
}
