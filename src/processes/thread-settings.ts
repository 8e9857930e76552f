/** Settings that a thread takes from its process instead of from its own environment. */
import { getEnvironmentData, isMainThread } from 'node:worker_threads';

export interface ThreadSettings {
  /** Override the thread's own environment. */
  readonly options: { readonly syscode: string; readonly port: number; readonly host?: string };
  /** Paths at which the hub may listen. */
  readonly paths: readonly string[];
}

/** Key of {@link ThreadSettings} in Node's environment data, of which every thread gets a copy. */
export const THREAD_SETTINGS_KEY = 'channel-exporter.1';

/** @returns undefined in the main thread, or when the main thread has not set any */
export function threadSettings(): ThreadSettings | undefined {
  return isMainThread ? undefined : (getEnvironmentData(THREAD_SETTINGS_KEY) as ThreadSettings | undefined);
}
