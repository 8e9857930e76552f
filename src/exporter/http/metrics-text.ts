/** `metricsText()`: the scrape as a text, for the application's own use of it. */
import { sharedState } from '../../shared-state';

const KEPT_MS = 60_000;

/**
 * @returns the scrape of the whole service in the plain format, as `GET /metrics` answers it; rejects while no exporter
 *   runs in this process, and when the scrape could not be collected
 * @see docs/own-metrics.md
 */
export async function metricsText(): Promise<string> {
  const services = sharedState().running?.services;
  if (services === undefined) throw new Error('no exporter runs in this process');
  // nothing of ours keeps a process, and a program that does nothing but wait for this would end before it
  const kept = setInterval(() => undefined, KEPT_MS);
  try {
    return await services.text();
  } finally {
    clearInterval(kept);
  }
}
