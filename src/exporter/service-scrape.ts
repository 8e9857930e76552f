/**
 * The scrape for the application's own port, in whatever process it is asked for: a member fetches it from the hub, where
 * what it measures goes.
 */
import { errorText } from '../diagnostics/log';
import { nowMs } from '../runtime/clock';
import { pause } from '../runtime/time-limit';
import { type Scrape, ScrapeUnavailable } from './scrape';

/** How long a member tries to get the scrape again, and the pause between: the hub may just have ended. */
const FETCH_AGAIN_MS = 2_000;
const FETCH_PAUSE_MS = 100;

/** This process among the others of its service. */
export interface ServicePlace {
  /** Whether another process serves what this one measures. */
  isServedElsewhere(): Promise<boolean>;
  /** The scrape of that process; rejects with the reason why there is none. */
  readonly fetchScrape: Scrape;
}

/**
 * @param scrape of this process, which may be the hub
 * @returns a scrape that rejects with {@link ScrapeUnavailable} when the hub cannot be asked
 */
export function scrapeOfService(scrape: Scrape, { isServedElsewhere, fetchScrape }: ServicePlace): Scrape {
  return async (form) => {
    const until = nowMs() + FETCH_AGAIN_MS;
    for (;;) {
      if (!(await isServedElsewhere())) return scrape(form);
      try {
        return await fetchScrape(form);
      } catch (error) {
        const reason = `the process that serves them cannot be asked (${errorText(error)})`;
        if (nowMs() > until) throw new ScrapeUnavailable(reason);
      }
      await pause(FETCH_PAUSE_MS);
    }
  };
}
