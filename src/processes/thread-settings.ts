/** Settings that a thread takes from its process instead of from its own environment. */
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads';
import { type Address, hubSocketPaths } from './hub-socket';

export interface ThreadSettings {
  /** Override the thread's own environment. */
  readonly options: { readonly syscode: string; readonly port: number; readonly host?: string };
  /** Paths at which the hub may listen. */
  readonly paths: readonly string[];
}

/** Key of {@link ThreadSettings} in Node's environment data, of which every thread gets a copy. */
const THREAD_SETTINGS_KEY = 'channel-exporter.1';
export const MAX_PORT = 65_535;

/** @returns undefined in the main thread, or when the main thread has not set any */
export function threadSettings(): ThreadSettings | undefined {
  return isMainThread ? undefined : (getEnvironmentData(THREAD_SETTINGS_KEY) as ThreadSettings | undefined);
}

/**
 * Threads started from now on join the hub of this process, whatever their own environment says.
 * @param address of the hub; its port may be one that no server has
 */
export function publishToThreads(syscode: string, address: Address): void {
  // no thread binds it
  const port = Math.min(address.port, MAX_PORT);
  const options = { syscode, port, ...(address.host && { host: address.host }) };
  const settings: ThreadSettings = { options, paths: hubSocketPaths(address) };
  setEnvironmentData(THREAD_SETTINGS_KEY, settings);
}
