/**
 * Reads a file of the user's while the application works. A small file is read at once; a large one, which takes up to
 * seconds, in a thread of its own that lives as long as that.
 */
import { Worker } from 'node:worker_threads';
import type { FileRead, ItemBatch, ReadItems } from './serve';

/** Read in some milliseconds, less than the start of a thread takes. */
const SMALL_FILE_BYTES = 4 * 1024;

/** How files of one kind are read, and how what they hold becomes what is in force. */
export interface FileKind<Item, Draft> {
  /** Path of the script that reads them in a thread, by `serveFile`. */
  readonly thread: string;
  /** Does not throw. */
  read(file: string): ReadItems<Item>;
  /** Begins one that has nothing yet. */
  draft(): Draft;
  add(draft: Draft, item: Item): void;
}

/** Gets the outcome; one of its methods is called, unless the reading is given up. */
export interface RereadResult<Draft> {
  /** @param items how many are in the file */
  loaded(draft: Draft, items: number): void;
  /** @param problems what is wrong with it */
  faulty(problems: readonly string[]): void;
}

/**
 * @param size of the file, in bytes
 * @returns a function that gives the reading up
 */
export function rereadFile<Item, Draft>(
  file: string,
  size: number,
  kind: FileKind<Item, Draft>,
  result: RereadResult<Draft>,
): () => void {
  if (size > SMALL_FILE_BYTES) {
    try {
      return readInThread(file, kind, result);
    } catch {
      // Node's permissions may forbid threads
    }
  }
  readHere(file, kind, result);
  return () => undefined;
}

function readHere<Item, Draft>(file: string, kind: FileKind<Item, Draft>, result: RereadResult<Draft>): void {
  const { items, problems } = kind.read(file);
  if (problems.length > 0) {
    result.faulty(problems.map(({ message }) => message));
    return;
  }
  const draft = kind.draft();
  for (const item of items) kind.add(draft, item);
  result.loaded(draft, items.length);
}

function readInThread<Item, Draft>(file: string, kind: FileKind<Item, Draft>, result: RereadResult<Draft>): () => void {
  // without the flags and variables of the process: a preload has no business in this thread
  const options = { workerData: file, env: {}, execArgv: [], name: 'channel-exporter' };
  const worker = new Worker(kind.thread, options);
  let isOver = false;
  const end = () => {
    isOver = true;
    // the application may end while the thread reads
    worker.terminate().catch(() => undefined);
  };
  const draft = kind.draft();
  let count = 0;
  const onBatch = (batch: ItemBatch<Item>) => {
    if (isOver) return;
    if (batch === null) {
      end();
      result.loaded(draft, count);
      return;
    }
    for (const item of batch) kind.add(draft, item);
    worker.postMessage(undefined);
  };
  worker.once('message', ({ items, problems }: FileRead) => {
    if (isOver) return;
    if (problems.length > 0) {
      end();
      result.faulty(problems);
      return;
    }
    count = items;
    worker.on('message', onBatch);
    worker.postMessage(undefined);
  });
  // its file is missing in a bundle
  worker.once('error', () => {
    if (isOver) return;
    end();
    readHere(file, kind, result);
  });
  worker.unref();
  return end;
}
