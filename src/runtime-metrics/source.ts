/** The process and its runtime for a scrape: what reads them is loaded when they are asked for first. */
import { isMainThread } from 'node:worker_threads';
import type { Deltas } from '../metrics/deltas';
import { within } from '../runtime/time-limit';
import type { RuntimeMetrics } from '.';

/** A scrape waits for so long at most; where descriptors have to be counted, they may be many. */
const LIMIT_MS = 500;

export interface RuntimeSource {
  /**
   * @returns values since the process began; undefined where they are not to be had in time, and in a thread, whose
   *   process says them. Does not reject
   */
  read(): Promise<Deltas | undefined>;
  /** Observes nothing any more. */
  end(): void;
}

export function createRuntimeSource(): RuntimeSource {
  let metrics: RuntimeMetrics | undefined;
  let hasEnded = !isMainThread;
  return {
    async read() {
      if (hasEnded) return undefined;
      metrics ??= new (require('.') as typeof import('.')).RuntimeMetrics();
      return within(LIMIT_MS, metrics.read()).catch(() => undefined);
    },
    end() {
      hasEnded = true;
      metrics?.end();
    },
  };
}
