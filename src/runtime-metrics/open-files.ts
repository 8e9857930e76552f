/** How many file descriptors this process has open, and may have; Linux alone says so. */
import { promises, readFileSync, statSync } from 'node:fs';

const DESCRIPTORS = '/proc/self/fd';
const LIMITS = '/proc/self/limits';
/** Entries of the directory that are read in one step, beside the event loop. */
const STEP = 128;
/** Where descriptors have to be counted, no more are, which takes a seventh of a second: the value stands for all beyond. */
const MOST_COUNTED = 20_000;

/**
 * @param folder with an entry for each descriptor
 * @returns undefined where the system has no such folder
 */
export async function openFiles(folder = DESCRIPTORS): Promise<number | undefined> {
  try {
    // from Linux 6.2 on the size of the folder is their number
    return statSync(folder).size || (await countEntries(folder));
  } catch {
    return undefined;
  }
}

/** @returns entries of a folder but for the one that counting them opens; `most` at most */
export async function countEntries(folder: string, most = MOST_COUNTED): Promise<number> {
  let count = -1;
  const entries = await promises.opendir(folder, { bufferSize: STEP });
  for await (const _entry of entries) if (++count >= most) break;
  return count;
}

/** @returns undefined where the system does not say it, or has no limit */
export function maxFiles(): number | undefined {
  try {
    const [, soft] = /^Max open files +(\d+)/m.exec(readFileSync(LIMITS, 'latin1')) ?? [];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}
