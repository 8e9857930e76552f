/**
 * What a series takes: heap and buffers after collection, before and after so many series, one scrape and another. Until
 * the second one the SDK keeps what it handed over for the first.
 */
import { EXPORTERS, makeSeries, scrape, startExporter } from '../support/series.mjs';
import { interleave, spread } from '../support/statistics.mjs';
import { grouped, table } from '../support/tables.mjs';

const SERIES = [2_000, 20_000];
const ROUNDS = { full: 5, short: 1 };
/** Made before counting begins, so that what only the first requests take is not in it. */
const FIRST_SERIES = 500;

export function sections({ length, rounds = ROUNDS[length] }) {
  return SERIES.map((series) => [`${series}`, () => measureSeries(series, rounds)]);
}

async function measureSeries(series, rounds) {
  const samples = await interleave(Object.keys(EXPORTERS), rounds, (name) => bytesPerSeries(name, series));
  return Object.fromEntries(
    Object.entries(samples).map(([name, own]) => {
      const of = (key) => spread(own.map((sample) => sample[key]));
      return [name, { recorded: of('recorded'), scraped: of('scraped'), later: of('later') }];
    }),
  );
}

async function bytesPerSeries(name, series) {
  const { program, scrapeUrl } = await startExporter(name, ['--expose-gc']);
  try {
    await makeSeries(program, 0, FIRST_SERIES);
    await scrape(scrapeUrl);
    const before = await program.ask('usedBytes');
    await makeSeries(program, FIRST_SERIES, series);
    const recorded = await program.ask('usedBytes');
    await scrape(scrapeUrl);
    const scraped = await program.ask('usedBytes');
    await scrape(scrapeUrl);
    const later = await program.ask('usedBytes');
    const perSeries = (bytes) => (bytes - before) / series;
    return { recorded: perSeries(recorded), scraped: perSeries(scraped), later: perSeries(later) };
  } finally {
    await program.stop();
  }
}

export function tables(results) {
  const head = ['bytes per series', 'when recorded', 'after a scrape', 'after the next one'];
  const rows = SERIES.filter((series) => results.has(`${series}`)).flatMap((series) =>
    Object.entries(results.get(`${series}`).data).map(([name, { recorded, scraped, later }]) => [
      `${grouped(series)}, ${name}`,
      grouped(recorded.median),
      grouped(scraped.median),
      grouped(later.median),
    ]),
  );
  return [table(head, rows)];
}
