/**
 * Runs the application's callbacks of observable instruments so that one that fails or hangs takes neither the scrape
 * nor the other instruments with it: its observations count only once it has ended without an error, and in time.
 */
import { within } from '../runtime/time-limit';
import { sharedState } from '../shared-state';

/** Callbacks and prom-client wait one after the other, and Prometheus gives a scrape 10 s by default. */
export const OBSERVE_LIMIT_MS = 3_000;

/**
 * @param callback gets a function in place of `observe`
 * @param observe of the SDK's result, called afterwards with the same arguments
 */
export async function observeWhole<Args extends unknown[]>(
  callback: (collect: (...args: Args) => void) => unknown,
  observe: (...args: Args) => void,
): Promise<void> {
  const observed: Args[] = [];
  try {
    const work = async () => callback((...args) => void observed.push(args));
    await within(OBSERVE_LIMIT_MS, work());
    for (const args of [...observed]) observe(...args);
  } catch (error) {
    sharedState().running?.services.ownMetricsFailed('meter', error);
  }
}
