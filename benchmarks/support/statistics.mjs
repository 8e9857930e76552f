/** Medians of interleaved rounds: what a busy machine does to one round it does to every variant of that round. */

/** @returns the value below which a share of the values lies */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const [low, high] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return low + (high - low) * (at - Math.floor(at));
}

export const median = (values) => quantile(values, 0.5);

/** @returns the median with its quartiles, as `{ median, low, high }` */
export function spread(values) {
  return { median: median(values), low: quantile(values, 0.25), high: quantile(values, 0.75) };
}

const RESAMPLES = 400;
const CERTAINTY = 0.95;

/**
 * How well the median of several fleets' values is known: by drawing fleets anew, with replacement, as the values of one
 * fleet have the same processes in common (a cluster bootstrap).
 * @param {number[][]} fleets values of each
 * @returns half the width of the 95 % interval; Infinity for one fleet, which says nothing of another
 */
export function interval(fleets) {
  if (fleets.length < 2) return { within: Number.POSITIVE_INFINITY };
  const medians = Array.from({ length: RESAMPLES }, () =>
    median(fleets.flatMap(() => fleets[Math.floor(Math.random() * fleets.length)])),
  );
  const rest = (1 - CERTAINTY) / 2;
  return { within: (quantile(medians, 1 - rest) - quantile(medians, rest)) / 2 };
}

/**
 * Measures every variant once a round, in random order.
 * @param {readonly string[]} names of the variants
 * @param {(name: string) => Promise<object>} measure
 * @returns {Promise<Record<string, object[]>>} for each variant its samples, by round
 */
export async function interleave(names, rounds, measure) {
  const samples = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const name of shuffled(names)) samples[name].push(await measure(name));
  }
  return samples;
}

/** @returns for each round what two variants of it come to */
export function pairRatios(samples, others, ratio) {
  return samples.map((sample, round) => ratio(sample, others[round]));
}

function shuffled(values) {
  return values
    .map((value) => ({ value, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ value }) => value);
}
