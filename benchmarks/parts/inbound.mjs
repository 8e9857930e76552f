/** Requests answered: requests a second, CPU time a request and latencies, against the bare application. */
import { createHistogram } from 'node:perf_hooks';
import { FRAMEWORKS, OURS_NAME, startVariant, VARIANTS } from '../inbound-variants.mjs';
import {
  BARE,
  compareInFleets,
  comparisonBars,
  comparisonRows,
  sampleVariants,
  warmUp,
} from '../support/comparison.mjs';
import { expectCount } from '../support/counts.mjs';
import { driveClosed, driveOpen } from '../support/load.mjs';
import { interleave } from '../support/statistics.mjs';
import { grouped, table } from '../support/tables.mjs';

/**
 * What is asked for, and how the programs run. `grown`: with the young generation of V8's heap as large as a service's is
 * that has loaded and handled more than these programs; loading a package lets it grow, too, and a small one is in the
 * processor's caches.
 */
const KINDS = {
  '100B': { size: '100B' },
  '100B-grown': { size: '100B', nodeArgs: ['--min-semi-space-size=16'] },
  '10kB': { size: '10kB' },
  '1MB': { size: '1MB' },
};
const LATENCIES_OF = 'express5';
/** Share of what the bare application can answer: high enough to be work, low enough that no variant is overrun. */
const LATENCY_LOAD = 0.4;
const LATENCY_SECONDS = { full: 0.35, short: 0.35 };
const UNRECORDED_SECONDS = 0.1;
const WARM_UP_SECONDS = { full: 2, short: 0.5, check: 2 };
const SLICE_SECONDS = { full: 0.2, short: 0.2, check: 0.2 };
const ROUNDS = { full: 24, short: 5 };
const FLEETS = { full: 3, short: 1, check: 3 };
const CHECKED_REQUESTS = 100;
const NS_PER_MS = 1e6;
const PERCENTILES = [50, 99, 99.9];

/** @returns what can be measured by itself, as name and function */
export function sections({ length, rounds = ROUNDS[length], isWanted, ...precision }) {
  const found = [];
  for (const framework of Object.keys(FRAMEWORKS)) {
    for (const kind of Object.keys(KINDS)) {
      if (length === 'short' && (framework !== 'express5' || kind !== '100B')) continue;
      const names = variantsOf(framework).filter(isWanted);
      found.push([
        `${framework}-${kind}`,
        () => measureThroughput(framework, kind, { length, rounds, names, ...precision }),
      ]);
    }
  }
  found.push([`latencies-${LATENCIES_OF}`, () => measureLatencies(LATENCIES_OF, '100B', { length, rounds })]);
  return found;
}

/** @param names of the variants, bare among them; default: all that the framework has */
export function measureThroughput(framework, kind, { length, rounds, names = variantsOf(framework), ...precision }) {
  const { size } = KINDS[kind];
  return compareInFleets({ fleets: FLEETS[length], rounds, ...precision }, (fleetRounds) =>
    withVariants(framework, kind, names, length, (variants, bareRate) => {
      const requests = Math.max(20, Math.round(bareRate * SLICE_SECONDS[length]));
      return sampleVariants(variants, fleetRounds, requests, driver(size));
    }),
  );
}

function measureLatencies(framework, size, { length, rounds }) {
  const names = variantsOf(framework);
  return withVariants(framework, size, names, length, async (variants, bareRate) => {
    const perSecond = Math.round(bareRate * LATENCY_LOAD);
    const requests = Math.round(perSecond * LATENCY_SECONDS[length]);
    const unrecorded = Math.round(perSecond * UNRECORDED_SECONDS);
    const all = Object.fromEntries(names.map((name) => [name, createHistogram()]));
    await interleave(names, rounds, async (name) => {
      const variant = variants[name];
      variant.program.resume();
      all[name].add(await driveOpen(variant.program.url, pathOf(size), perSecond, requests, unrecorded));
      variant.answered += requests;
      variant.program.pause();
    });
    const percentiles = (histogram) => PERCENTILES.map((share) => histogram.percentile(share) / NS_PER_MS);
    const rows = Object.fromEntries(names.map((name) => [name, percentiles(all[name])]));
    return { perSecond, requests: (requests - unrecorded) * rounds, rows };
  });
}

const variantsOf = (framework) => Object.keys(VARIANTS).filter((name) => VARIANTS[name].frameworks.includes(framework));
const pathOf = (size) => `/api/${size}/7`;

/** Work of a variant: requests in a closed loop. */
const driver = (size) => async (variant, requests) => {
  const seconds = await driveClosed(variant.program.url, pathOf(size), requests);
  variant.answered += requests;
  return seconds;
};

/** Starts all variants, warms them up, checks before and after that each counts what it answers. */
async function withVariants(framework, kind, names, length, measure) {
  const { size, nodeArgs } = KINDS[kind];
  const variants = {};
  try {
    let bareRate = 0;
    for (const name of names) {
      const variant = { ...(await startVariant(framework, name, nodeArgs)), name, answered: 0, scraped: 0 };
      variants[name] = variant;
      await driver(size)(variant, CHECKED_REQUESTS);
      await check(variant);
      const rate = await warmUp(variant, WARM_UP_SECONDS[length], CHECKED_REQUESTS, driver(size));
      if (name === BARE) bareRate = rate;
      variant.program.pause();
    }
    const data = await measure(variants, bareRate);
    for (const variant of Object.values(variants)) {
      variant.program.resume();
      await check(variant);
    }
    return data;
  } finally {
    for (const { program } of Object.values(variants)) await program.stop();
  }
}

async function check(variant) {
  const { counter, counts = true, countsScrapes = false } = VARIANTS[variant.name];
  if (counter === undefined) return;
  const answered = counts ? variant.answered : 0;
  await expectCount(variant.scrapeUrl, counter, () => answered + (countsScrapes ? variant.scraped++ : 0));
}

export function tables(results) {
  const text = [];
  for (const framework of Object.keys(FRAMEWORKS)) {
    const kinds = Object.keys(KINDS).filter((kind) => results.has(`${framework}-${kind}`));
    if (kinds.length === 0) continue;
    const cells = kinds.map((kind) => results.get(`${framework}-${kind}`).data);
    const head = [framework, ...kinds.flatMap((kind) => [`${kind}: requests/s`, `${kind}: CPU`])];
    text.push(table(head, comparisonRows(variantsOf(framework), cells)));
  }
  const latencies = results.get(`latencies-${LATENCIES_OF}`)?.data;
  if (latencies !== undefined) text.push(latencyTable(latencies));
  return text;
}

/** @returns undefined where no requests of 100 B have been measured */
export function chart(results) {
  const [size] = Object.keys(KINDS);
  const groups = Object.keys(FRAMEWORKS).flatMap((framework) => {
    const data = results.get(`${framework}-${size}`)?.data;
    if (data === undefined) return [];
    return [
      {
        name: FRAMEWORKS[framework].title,
        bars: comparisonBars(variantsOf(framework), data, (name) => name === OURS_NAME),
      },
    ];
  });
  return groups.length === 0
    ? undefined
    : { title: `Requests answered, ${size}: CPU time of the bare application over that of the variant`, groups };
}

function latencyTable({ perSecond, requests, rows }) {
  const head = [`${LATENCIES_OF}, 100B, ${grouped(perSecond)}/s, ms`, ...PERCENTILES.map((share) => `p${share}`)];
  const body = Object.entries(rows).map(([name, values]) => [name, ...values.map((value) => value.toFixed(2))]);
  return `${table(head, body)}\n\n${grouped(requests)} requests each.`;
}
