/** What a thread is told by the process that it belongs to, whatever the thread's own environment says. */
import { getEnvironmentData, isMainThread } from 'node:worker_threads';

/** What a thread takes from the process that it belongs to. */
export interface ThreadSettings {
  /** Win over the thread's own environment. */
  readonly options: { readonly syscode: string; readonly port: number; readonly host?: string };
  /** Where the hub is met. */
  readonly paths: readonly string[];
}

/** Key of {@link ThreadSettings} in Node's environment data, which threads are given a copy of. */
export const THREAD_SETTINGS_KEY = 'channel-exporter.1';

/** @returns what the main thread has told; undefined in the main thread itself, or when it told nothing */
export function threadSettings(): ThreadSettings | undefined {
  return isMainThread ? undefined : (getEnvironmentData(THREAD_SETTINGS_KEY) as ThreadSettings | undefined);
}
