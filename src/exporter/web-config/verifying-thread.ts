/** A thread that compares passwords with hashes of bcrypt: tenths of a second of work, which the main thread never does. */
import { parentPort } from 'node:worker_threads';
import { compareSync } from 'bcryptjs';

/** What is to be compared. */
export interface Comparison {
  readonly password: string;
  readonly hash: string;
}

export interface Compared {
  readonly isEqual: boolean;
  /** How long it took. */
  readonly ms: number;
}

parentPort?.on('message', ({ password, hash }: Comparison) => {
  const since = performance.now();
  let isEqual = false;
  try {
    isEqual = compareSync(password, hash);
  } catch {
    // a hash of another form is nobody's
  }
  parentPort?.postMessage({ isEqual, ms: performance.now() - since } satisfies Compared);
});
