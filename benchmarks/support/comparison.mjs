/** Variants side by side: rate and CPU time of slices of equal work, as ratios to the bare application's. */
import { interleave, interval, median, pairRatios, spread } from './statistics.mjs';
import { certainText, grouped } from './tables.mjs';

export const BARE = 'bare';
/** The same once more: how far its ratios are from 1 is what a comparison of this run cannot tell. */
export const BARE_AGAIN = 'bare, once more';
const MS_PER_SECOND = 1000;
const US_PER_MS = 1000;

/**
 * Compares variants by several fleets, in each of which all of them are started anew: what V8 has made of a program
 * differs from process to process by more than from slice to slice.
 * @param {{ fleets: number, rounds: number, within?: number, most?: number }} plan rounds of the first fleets together.
 *   With `within`, further fleets of as many rounds each, `most` in all, until the 95 % interval of every ratio of CPU time
 *   is no further than that from its middle
 * @param {(rounds: number) => Promise<Record<string, object[]>>} sampleFleet starts the variants, takes samples of that
 *   many rounds by {@link sampleVariants}, and stops them
 */
export async function compareInFleets({ fleets, rounds, within, most = fleets }, sampleFleet) {
  const all = {};
  const compared = () =>
    Object.fromEntries(Object.entries(all).map(([name, samples]) => [name, figures(samples, all[BARE])]));
  const isKnown = () => Object.values(compared()).every(({ cpuRatio }) => cpuRatio.within <= within);
  for (let fleet = 0; fleet < fleets || (within !== undefined && fleet < most && !isKnown()); fleet++) {
    const samples = await sampleFleet(Math.ceil(rounds / fleets));
    for (const [name, own] of Object.entries(samples)) all[name] = [...(all[name] ?? []), own];
  }
  return compared();
}

/**
 * Measures slices of the same amount of work; only the variant at work runs, the others are stopped.
 * @param {Record<string, { program: object }>} variants running, by name, and paused; one of them is bare
 * @param {number} amount of units of work in a slice
 * @param {(variant: object, amount: number) => Promise<number>} work gives back the seconds it took
 */
export function sampleVariants(variants, rounds, amount, work) {
  return interleave(Object.keys(variants), rounds, async (name) => {
    const { program } = variants[name];
    program.resume();
    const beforeMs = program.cpuMs();
    const seconds = await work(variants[name], amount);
    const cpuMs = program.cpuMs() - beforeMs;
    program.pause();
    return { perSecond: amount / seconds, cpuUs: (cpuMs * US_PER_MS) / amount, busy: cpuMs / MS_PER_SECOND / seconds };
  });
}

/**
 * Ratios are of what is better when it is more: 1 is free, in requests a second and in CPU time alike.
 * @param {object[][]} fleets samples of a variant, by fleet
 * @param {object[][]} bare those of the bare application
 */
function figures(fleets, bare) {
  const samples = fleets.flat();
  const ratios = (of) => {
    const byFleet = fleets.map((own, fleet) => pairRatios(own, bare[fleet], of));
    return { ...spread(byFleet.flat()), ...interval(byFleet) };
  };
  return {
    fleets: fleets.length,
    perSecond: median(samples.map(({ perSecond }) => perSecond)),
    cpuUs: median(samples.map(({ cpuUs }) => cpuUs)),
    /** Share of its core; well below 1, the load was what could not go faster. */
    busy: median(samples.map(({ busy }) => busy)),
    rateRatio: ratios((own, base) => own.perSecond / base.perSecond),
    cpuRatio: ratios((own, base) => base.cpuUs / own.cpuUs),
  };
}

/** @returns rows of a table, of those variants that have been measured: two cells for each measurement */
export function comparisonRows(names, measurements) {
  return names
    .filter((name) => measurements.some((measured) => measured[name] !== undefined))
    .map((name) => [name, ...measurements.flatMap((measured) => comparisonCells(name, measured))]);
}

/** @returns bars of a chart: the ratios of CPU time of those variants that have been measured, but for bare itself */
export function comparisonBars(names, measured, isOurs) {
  return names
    .filter((name) => name !== BARE && measured[name] !== undefined)
    .map((name) => {
      const { median: value, within } = measured[name].cpuRatio;
      // JSON has no infinity, which is what one fleet tells of another
      return { name, value, isOurs: isOurs(name), ...(Number.isFinite(within) ? { within } : {}) };
    });
}

/** Two cells of a table: rate and CPU time, of the bare application in figures, of the others as ratios. */
function comparisonCells(name, cell) {
  const own = cell[name];
  if (own === undefined) return ['', ''];
  if (name === BARE) {
    return [`${grouped(own.perSecond)}/s, core ${Math.round(own.busy * 100)} % busy`, `${grouped(own.cpuUs, 1)} µs`];
  }
  return [certainText(own.rateRatio), certainText(own.cpuRatio)];
}

/**
 * Works until so much time has passed; what is measured is thrown away, except how fast it went.
 * @returns units of work a second, the most that was reached
 */
export async function warmUp(variant, seconds, firstAmount, work) {
  let fastest = 0;
  for (let spent = 0, amount = firstAmount; spent < seconds; ) {
    const took = await work(variant, amount);
    spent += took;
    const rate = amount / took;
    fastest = Math.max(fastest, rate);
    amount = Math.max(20, Math.round(rate * Math.min(0.5, seconds - spent)));
  }
  return fastest;
}
