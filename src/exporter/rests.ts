/** Gives the application time between scrapes that are asked for without a pause. */
import { nowMs } from '../runtime/clock';
import { pause } from '../runtime/time-limit';
import type { Scrape } from './scrape';

/** A scraper waits for so long at most before its scrape begins; Prometheus gives up after 10 s by default. */
const MAX_REST_MS = 1_000;

/** @returns a scrape that begins after a rest that is as long as the last one took */
export function withRests(scrape: Scrape): Scrape {
  /** Scrapes that have begun and not ended; they share their work. */
  let running = 0;
  let beganMs = 0;
  let restsUntilMs = 0;
  return async (form) => {
    const restMs = restsUntilMs - nowMs();
    if (restMs > 0) await pause(restMs);
    if (running++ === 0) beganMs = nowMs();
    try {
      return await scrape(form);
    } finally {
      const now = nowMs();
      if (--running === 0) restsUntilMs = now + Math.min(now - beganMs, MAX_REST_MS);
    }
  };
}
