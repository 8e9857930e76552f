/** Asks a scrape what was measured, so that no variant wins by measuring nothing. */

/** A client may have its answer shortly before it is counted. */
const LIMIT_MS = 3_000;

/**
 * @param {string} sample such as `http_request_duration_seconds_count`
 * @param {() => number} expected its sum over all series; asked once a scrape, for those that count their scrapes
 * @throws when the scrape does not come to say so
 */
export async function expectCount(scrapeUrl, sample, expected) {
  for (const until = Date.now() + LIMIT_MS; ; ) {
    const wanted = expected();
    const counted = await countOf(scrapeUrl, sample);
    if (counted === wanted) return;
    if (Date.now() > until) throw new Error(`${scrapeUrl} counts ${counted} as ${sample}; it should be ${wanted}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function countOf(scrapeUrl, sample) {
  const response = await fetch(scrapeUrl);
  const text = await response.text();
  if (response.status !== 200) throw new Error(`the scrape answered ${response.status}: ${text}`);
  let sum = 0;
  for (const line of text.split('\n')) {
    // the scrape is a request too, to those that are asked on the application's port
    if (/\/metrics["#?]/.test(line)) continue;
    if (line.startsWith(sample) && /^[ {]/.test(line.slice(sample.length))) sum += Number(line.split(' ').at(-1));
  }
  return sum;
}
