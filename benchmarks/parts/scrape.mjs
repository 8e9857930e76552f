/** One scrape of many series: how long it takes, what it costs, and how long it keeps the event loop from turning. */
import { EXPORTERS, makeSeries, scrape, startExporter } from '../support/series.mjs';
import { interleave, spread } from '../support/statistics.mjs';
import { grouped, spreadText, table } from '../support/tables.mjs';

const SERIES = [100, 2_000, 20_000];
const ROUNDS = { full: 11, short: 3 };
const WARM_UP_SCRAPES = 3;

export function sections({ length, rounds = ROUNDS[length] }) {
  return SERIES.map((series) => [`${series}`, () => measureScrapes(series, rounds)]);
}

async function measureScrapes(series, rounds) {
  const exporters = {};
  try {
    for (const name of Object.keys(EXPORTERS)) {
      const exporter = await startExporter(name);
      exporters[name] = exporter;
      await makeSeries(exporter.program, 0, series);
      for (let i = 0; i < WARM_UP_SCRAPES; i++) await scrape(exporter.scrapeUrl);
      exporter.program.pause();
    }
    const samples = await interleave(Object.keys(exporters), rounds, async (name) => {
      const { program } = exporters[name];
      program.resume();
      const timed = await timedScrape(exporters[name], series);
      const pauseMs = await watchedScrape(exporters[name]);
      program.pause();
      return { ...timed, pauseMs };
    });
    return Object.fromEntries(Object.entries(samples).map(([name, own]) => [name, figures(own)]));
  } finally {
    for (const { program } of Object.values(exporters)) await program.stop();
  }
}

async function timedScrape({ program, scrapeUrl }, series) {
  const beforeMs = program.cpuMs();
  const startedMs = performance.now();
  const { bytes, series: found } = await scrape(scrapeUrl);
  const wallMs = performance.now() - startedMs;
  const cpuMs = program.cpuMs() - beforeMs;
  if (found !== series) throw new Error(`the scrape has ${found} series; it should have ${series}`);
  return { wallMs, cpuMs, bytes };
}

/** A scrape of its own: the clock that watches the loop takes CPU time. */
async function watchedScrape({ program, scrapeUrl }) {
  await program.ask('watch');
  await scrape(scrapeUrl);
  return program.ask('longestPauseMs');
}

function figures(samples) {
  const [{ bytes }] = samples;
  const of = (name) => spread(samples.map((sample) => sample[name]));
  return { bytes, wallMs: of('wallMs'), cpuMs: of('cpuMs'), pauseMs: of('pauseMs') };
}

export function tables(results) {
  const head = ['series', 'bytes', 'time, ms', 'CPU time, ms', 'longest pause, ms'];
  const rows = SERIES.filter((series) => results.has(`${series}`)).flatMap((series) =>
    Object.entries(results.get(`${series}`).data).map(([name, { bytes, ...times }]) => [
      `${grouped(series)}, ${name}`,
      grouped(bytes),
      ...[times.wallMs, times.cpuMs, times.pauseMs].map((time) => spreadText(time, 1)),
    ]),
  );
  return [table(head, rows)];
}
