/** What a series takes: heap and buffers after collection, before and after so many series and one scrape. */
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
      return [name, { recorded: of('recorded'), scraped: of('scraped') }];
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
    return { recorded: (recorded - before) / series, scraped: (scraped - before) / series };
  } finally {
    await program.stop();
  }
}

export function tables(results) {
  const head = ['bytes per series', 'when recorded', 'after a scrape'];
  const rows = SERIES.filter((series) => results.has(`${series}`)).flatMap((series) =>
    Object.entries(results.get(`${series}`).data).map(([name, { recorded, scraped }]) => [
      `${grouped(series)}, ${name}`,
      grouped(recorded.median),
      grouped(scraped.median),
    ]),
  );
  return [table(head, rows)];
}
