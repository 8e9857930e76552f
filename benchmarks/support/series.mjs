/** Starts a server and asks it for so many distinct paths, each of which becomes a series. */
import { Client } from 'undici7';
import { OURS, startProgram } from './program.mjs';

const BATCH = 500;
const WANTED_HEADERS = { 'user-agent': 'C001' };

export const OURS_NAME = 'channel-exporter';
export const EXPORTERS = {
  [OURS_NAME]: {
    script: 'apps/series-ours.js',
    nodeArgs: OURS,
    env: { CHANNEL_EXPORTER_LABEL_VALUES_LIMIT: '100000', CHANNEL_EXPORTER_SERIES_LIMIT: '100000' },
    scrapeUrl: (program) => program.ownScrapeUrl(),
  },
  'prom-client': {
    script: 'apps/series-prom-client.js',
    nodeArgs: [],
    env: {},
    scrapeUrl: async (program) => `${program.url}/metrics`,
  },
};

/** @param knownUrl of the scrape, where another process serves it */
export async function startExporter(name, nodeArgs = [], others = {}, knownUrl = undefined) {
  const { script, nodeArgs: own, env, scrapeUrl } = EXPORTERS[name];
  const program = await startProgram(script, { nodeArgs: [...nodeArgs, ...own], env: { ...env, ...others } });
  return { program, scrapeUrl: knownUrl ?? (await scrapeUrl(program)) };
}

/** @param from number of the first path; numbers have as many digits everywhere */
export async function makeSeries(program, from, count) {
  const client = new Client(program.url, { pipelining: 10 });
  for (let done = 0; done < count; done += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, count - done) }, (_, i) => from + done + i);
    await Promise.all(batch.map((number) => ask(client, number)));
  }
  await client.close();
}

async function ask(client, number) {
  const path = `/api/orders/${String(number).padStart(6, '0')}`;
  const { statusCode, body } = await client.request({ path, method: 'GET', headers: WANTED_HEADERS });
  await body.dump();
  if (statusCode !== 200) throw new Error(`answered with ${statusCode}`);
}

/** @returns the length of a scrape in bytes and how many of our series were in it */
export async function scrape(url) {
  const response = await fetch(url);
  const text = await response.text();
  if (response.status !== 200) throw new Error(`the scrape answered ${response.status}: ${text}`);
  return { bytes: Buffer.byteLength(text), series: text.match(/_inner_metrics_count\{/g)?.length ?? 0 };
}
