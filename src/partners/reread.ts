/**
 * Reads a partner file while the application works. A small file is read at once; a large one, which takes up to seconds,
 * in a thread of its own that lives as long as that.
 */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { DirectoryDraft } from './directory';
import { readPartnerFile } from './file';
import type { FileRead, HostBatch } from './reading-thread';

/** Read in some milliseconds, less than the start of a thread takes. */
const SMALL_FILE_BYTES = 4 * 1024;

/** Gets the outcome; one of its methods is called, unless the reading is given up. */
export interface RereadResult {
  /** @param hosts how many are in the file */
  loaded(draft: DirectoryDraft, hosts: number): void;
  /** @param problems what is wrong with it */
  faulty(problems: readonly string[]): void;
}

/**
 * @param size of the file, in bytes
 * @returns a function that gives the reading up
 */
export function rereadPartnerFile(file: string, size: number, result: RereadResult): () => void {
  if (size > SMALL_FILE_BYTES) {
    try {
      return readInThread(file, result);
    } catch {
      // Node's permissions may forbid threads
    }
  }
  readHere(file, result);
  return () => undefined;
}

function readHere(file: string, result: RereadResult): void {
  const { hosts, problems } = readPartnerFile(file);
  if (problems.length > 0) {
    result.faulty(problems.map(({ message }) => message));
    return;
  }
  const draft = new DirectoryDraft();
  for (const host of hosts) draft.add(host);
  result.loaded(draft, hosts.length);
}

function readInThread(file: string, result: RereadResult): () => void {
  // without the flags and variables of the process: a preload has no business in this thread
  const options = { workerData: file, env: {}, execArgv: [], name: 'channel-exporter' };
  const worker = new Worker(join(__dirname, 'reading-thread.js'), options);
  let isOver = false;
  const end = () => {
    isOver = true;
    // the application may end while the thread reads
    worker.terminate().catch(() => undefined);
  };
  const draft = new DirectoryDraft();
  let count = 0;
  const onBatch = (batch: HostBatch) => {
    if (isOver) return;
    if (batch === null) {
      end();
      result.loaded(draft, count);
      return;
    }
    for (const host of batch) draft.add(host);
    worker.postMessage(undefined);
  };
  worker.once('message', ({ hosts, problems }: FileRead) => {
    if (isOver) return;
    if (problems.length > 0) {
      end();
      result.faulty(problems);
      return;
    }
    count = hosts;
    worker.on('message', onBatch);
    worker.postMessage(undefined);
  });
  // its file is missing in a bundle
  worker.once('error', () => {
    if (isOver) return;
    end();
    readHere(file, result);
  });
  worker.unref();
  return end;
}
