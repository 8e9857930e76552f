/**
 * What a thread does that reads a file: it hands it over in batches, each when it is asked for, so that the main thread
 * has the event loop between two of them. It is started by reread.ts.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { Problem } from '../errors';

/** What a file holds, or what is wrong with it. With problems the items are not to be used. */
export interface ReadItems<Item> {
  readonly items: readonly Item[];
  readonly problems: readonly Problem[];
}

/** First message of the thread. */
export interface FileRead {
  readonly items: number;
  /** What is wrong with the file; then there are no items. */
  readonly problems: readonly string[];
}

/** Each further message: items, or at the end null. */
export type ItemBatch<Item> = readonly Item[] | null;

/**
 * Does nothing where this is no thread.
 * @param batchesOf batches that are taken in within a millisecond or two
 */
export function serveFile<Item>(
  read: (file: string) => ReadItems<Item>,
  batchesOf: (items: readonly Item[]) => Iterator<readonly Item[], undefined>,
): void {
  const port = parentPort;
  if (port === null) return;
  const { items, problems } = read(String(workerData));
  const batches = batchesOf(items);
  port.on('message', () => {
    const { value } = batches.next();
    port.postMessage((value ?? null) satisfies ItemBatch<Item>);
    if (value === undefined) port.close();
  });
  port.postMessage({
    items: items.length,
    problems: problems.map(({ message }) => message),
  } satisfies FileRead);
}
