/**
 * Compares passwords with hashes in a thread that is there while there is something to compare. However many are sent,
 * it takes a tenth of a processor after a burst, and those that wait are few.
 */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { errorText, warn } from '../../diagnostics/log';
import { Allowance } from '../http/allowance';
import type { Compared, Comparison } from './verifying-thread';

const THREAD = join(__dirname, 'verifying-thread.js');
/** Comparisons that wait for the one under way. */
const MAX_WAITING = 16;
/** Of them, of one address. */
const MAX_WAITING_OF_ADDRESS = 4;
/** Milliseconds of work at once after a rest, and in a second after that. */
const WORK_BURST_MS = 2_000;
const WORK_MS_PER_SECOND = 100;
/** The thread ends when it had nothing to do for so long. */
const IDLE_MS = 10_000;

interface Job extends Comparison {
  readonly address: string;
  readonly done: (isEqual: boolean | undefined) => void;
}

export class Verifier {
  private worker: Worker | undefined;
  private current: Job | undefined;
  private readonly waiting: Job[] = [];
  private readonly work = new Allowance(WORK_BURST_MS, WORK_MS_PER_SECOND);
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param address who asks; no other one waits longer for what it sends
   * @returns whether the hash is the password's; undefined when there is no room, or no thread. Does not reject.
   */
  verify(comparison: Comparison, address: string): Promise<boolean | undefined> {
    const { waiting } = this;
    const own = waiting.filter((job) => job.address === address);
    if (waiting.length >= MAX_WAITING || own.length >= MAX_WAITING_OF_ADDRESS) return Promise.resolve(undefined);
    return new Promise((done) => {
      waiting.push({ ...comparison, address, done });
      this.next();
    });
  }

  /** Ends the thread; what waits is not compared any more. */
  end(): void {
    clearTimeout(this.timer);
    const jobs = [...(this.current === undefined ? [] : [this.current]), ...this.waiting.splice(0)];
    this.current = undefined;
    const { worker } = this;
    this.worker = undefined;
    worker?.terminate().catch(() => undefined);
    for (const { done } of jobs) done(undefined);
  }

  private next(): void {
    if (this.current !== undefined) return;
    clearTimeout(this.timer);
    if (this.waiting.length === 0) {
      this.timer = setTimeout(() => this.end(), IDLE_MS).unref();
      return;
    }
    const waitMs = this.work.waitMs();
    if (waitMs > 0) {
      this.timer = setTimeout(() => this.next(), waitMs).unref();
      return;
    }
    const worker = this.thread();
    if (worker === undefined) {
      this.end();
      return;
    }
    this.current = this.waiting.shift() as Job;
    const { password, hash } = this.current;
    worker.postMessage({ password, hash } satisfies Comparison);
  }

  private thread(): Worker | undefined {
    if (this.worker !== undefined) return this.worker;
    const failed = (error: unknown) => {
      const text = `nobody can sign in at the port of the metrics, because no thread can compare passwords: ${errorText(error)}`;
      warn('CHX_WEB_USERS_UNCHECKED', 'thread', text);
    };
    try {
      // without the flags and variables of the process: a preload has no business in this thread
      const worker = new Worker(THREAD, { env: {}, execArgv: [], name: 'channel-exporter' });
      worker.on('message', (compared: Compared) => {
        if (this.worker === worker) this.compared(compared);
      });
      worker.on('error', (error) => {
        failed(error);
        if (this.worker === worker) this.end();
      });
      worker.unref();
      this.worker = worker;
    } catch (error) {
      // Node's permissions may forbid threads
      failed(error);
    }
    return this.worker;
  }

  private compared({ isEqual, ms }: Compared): void {
    const job = this.current;
    if (job === undefined) return;
    this.work.owe(ms);
    this.current = undefined;
    job.done(isEqual);
    this.next();
  }
}
