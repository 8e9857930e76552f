/** One scrape of many series: how long it takes, what it costs, and how long it keeps the event loop from turning. */
import { freePort } from '../support/program.mjs';
import { EXPORTERS, makeSeries, OURS_NAME, scrape, startExporter } from '../support/series.mjs';
import { interleave, spread } from '../support/statistics.mjs';
import { grouped, spreadText, table } from '../support/tables.mjs';

const SERIES = [100, 2_000, 20_000];
/** Series that all change between two scrapes. */
const CHANGED = [5_000, 20_000];
/** By the number of processes: whose pauses are measured. */
const MODELS = { 'one process': ['hub'], 'two processes': ['hub', 'member'] };
/** Longer than a member waits before it hands over. */
const HANDED_OVER_MS = 1_500;
const ROUNDS = { full: 11, short: 3 };
const WARM_UP_SCRAPES = 3;

export function sections({ length, rounds = ROUNDS[length] }) {
  const changed = CHANGED.flatMap((series) =>
    Object.keys(MODELS).map((model) => [`changed-${series}-${model}`, () => measureChanged(series, model, rounds)]),
  );
  return [...SERIES.map((series) => [`${series}`, () => measureScrapes(series, rounds)]), ...changed];
}

/**
 * Scrapes of series that have all changed since the last one. Of two processes both have changed all of them, and the
 * member has most of it still to hand over: the hub was stopped meanwhile.
 * @returns of each process the longest turn of its loop during a scrape, by CPU time and on the wall
 */
export async function measureChanged(series, model, rounds) {
  const env = { CHANNEL_EXPORTER_PORT: String(await freePort()) };
  const started = {};
  try {
    for (const name of MODELS[model]) {
      started[name] = await startExporter(OURS_NAME, [], env, started.hub?.scrapeUrl);
      await makeSeries(started[name].program, 0, series);
    }
    await new Promise((resolve) => setTimeout(resolve, HANDED_OVER_MS));
    for (let i = 0; i < WARM_UP_SCRAPES; i++) await changedScrape(started, series);
    const samples = [];
    for (let round = 0; round < rounds; round++) samples.push(await changedScrape(started, series));
    return Object.fromEntries(
      Object.keys(started).map((name) => {
        const of = (clock) => spread(samples.map((sample) => sample[name][clock]));
        return [name, { cpuMs: of('cpuMs'), wallMs: of('wallMs') }];
      }),
    );
  } finally {
    for (const { program } of Object.values(started)) await program.stop();
  }
}

async function changedScrape({ hub, member }, series) {
  await makeSeries(hub.program, 0, series);
  if (member !== undefined) {
    hub.program.pause();
    await makeSeries(member.program, 0, series);
    await member.program.ask('watch');
    hub.program.resume();
  }
  await hub.program.ask('watch');
  const { series: found } = await scrape(hub.scrapeUrl);
  if (found !== series) throw new Error(`the scrape has ${found} series; it should have ${series}`);
  return { hub: await hub.program.ask('longestTurn'), member: await member?.program.ask('longestTurn') };
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
  return (await program.ask('longestTurn')).wallMs;
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
  return [table(head, rows), ...changedTable(results)];
}

function changedTable(results) {
  const rows = CHANGED.flatMap((series) =>
    Object.keys(MODELS).flatMap((model) =>
      Object.entries(results.get(`changed-${series}-${model}`)?.data ?? {}).map(([name, { cpuMs, wallMs }]) => [
        `${grouped(series)}, ${model}: ${name}`,
        spreadText(cpuMs, 1),
        spreadText(wallMs, 1),
      ]),
    ),
  );
  return rows.length === 0 ? [] : [table(['all series changed', 'longest turn, ms of CPU', 'on the wall, ms'], rows)];
}
