/**
 * Rereads the partner file when it changes. A faulty new version is reported and the last good one stays.
 *
 * The file is looked at, not watched: notifications miss files that are replaced through a symbolic link (as a
 * mounted ConfigMap is) or that lie on a network file system.
 */
import { unwatchFile, watchFile } from 'node:fs';
import { resolve } from 'node:path';
import type { Problem } from '../errors';
import type { PartnerHosts } from './check';
import { readPartnerFile } from './file';

/** Time between two looks, which are made off the main thread. */
const LOOK_EVERY_MS = 2_000;

/**
 * @param onLoaded called with each good new version
 * @param onFaulty called with what is wrong with a bad one
 * @returns a function that ends the watch
 */
export function watchPartnerFile(
  file: string,
  onLoaded: (hosts: PartnerHosts) => void,
  onFaulty: (problems: readonly Problem[]) => void,
): () => void {
  // the application may change its working directory later
  const path = resolve(file);
  const look = () => {
    const { hosts, problems } = readPartnerFile(path);
    if (problems.length > 0) onFaulty(problems);
    else onLoaded(hosts);
  };
  watchFile(path, { persistent: false, interval: LOOK_EVERY_MS }, look);
  return () => unwatchFile(path, look);
}
