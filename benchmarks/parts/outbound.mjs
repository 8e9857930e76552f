/** Calls made: calls a second and CPU time a call, through node:http and fetch, to partners and to others. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BARE,
  BARE_AGAIN,
  compareInFleets,
  comparisonBars,
  comparisonRows,
  sampleVariants,
  warmUp,
} from '../support/comparison.mjs';
import { expectCount } from '../support/counts.mjs';
import { BENCHMARKS, freePort, OTHERS, OURS, startProgram, withOtherBuild } from '../support/program.mjs';
import { table } from '../support/tables.mjs';

const CLIENTS = ['http', 'fetch'];
const WARM_UP_SECONDS = { full: 3, short: 1, check: 2 };
const SLICE_SECONDS = { full: 0.2, short: 0.2, check: 0.2 };
const ROUNDS = { full: 24, short: 5 };
const FLEETS = { full: 3, short: 1, check: 6 };
const CHECKED_CALLS = 100;
const PATH = '/v1/orders/7';
const OURS_COUNT = 'partner_http_metrics_count';
const OTEL_COUNT = 'http_client_request_duration_count';
const preload = (name) => ['-r', join(BENCHMARKS, 'peers', name)];

/**
 * `partner`: which host our partner file names, the called one or another.
 * `counter`: as for inbound; it is 0 for calls to hosts that are no partners.
 */
const VARIANTS = {
  [BARE]: {},
  [BARE_AGAIN]: {},
  'channels empty': { nodeArgs: preload('empty-channels.js') },
  'channel-exporter, not a partner': { nodeArgs: OURS, partner: 'other', counter: OURS_COUNT },
  'channel-exporter, partner': { nodeArgs: OURS, partner: 'called', counter: OURS_COUNT },
  ...withOtherBuild({
    'another build, not a partner': { nodeArgs: OTHERS, partner: 'other', counter: OURS_COUNT },
    'another build, partner': { nodeArgs: OTHERS, partner: 'called', counter: OURS_COUNT },
  }),
  'OpenTelemetry, metrics alone': { nodeArgs: preload('otel-metrics.js'), counter: OTEL_COUNT },
  'OpenTelemetry, stock set': { nodeArgs: preload('otel-stock.js'), counter: OTEL_COUNT },
};
export const NOT_A_PARTNER = 'channel-exporter, not a partner';
export const PARTNER = 'channel-exporter, partner';

export function sections({ length, rounds = ROUNDS[length], isWanted, ...precision }) {
  const names = Object.keys(VARIANTS).filter(isWanted);
  return CLIENTS.map((client) => [client, () => measureCalls(client, { length, rounds, names, ...precision })]);
}

/** @param names of the variants, bare among them; default: all */
export function measureCalls(client, { length, rounds, names = Object.keys(VARIANTS), ...precision }) {
  const plan = { fleets: FLEETS[length], rounds, ...precision };
  return compareInFleets(plan, (fleetRounds) => sampleFleet(client, length, fleetRounds, names));
}

async function sampleFleet(client, length, rounds, names) {
  const folder = mkdtempSync(join(tmpdir(), 'channel-exporter-'));
  const partner = await startProgram('apps/partner.js', { role: 'load' });
  const variants = {};
  const work = async (variant, calls) => {
    const seconds = await variant.program.ask('call', client, `${partner.url}${PATH}`, calls);
    variant.called += calls;
    return seconds;
  };
  try {
    let bareRate = 0;
    for (const name of names) {
      const variant = { ...(await startCaller(name, partner, folder)), name, called: 0 };
      variants[name] = variant;
      await work(variant, CHECKED_CALLS);
      await check(variant);
      const rate = await warmUp(variant, WARM_UP_SECONDS[length], CHECKED_CALLS, work);
      if (name === BARE) bareRate = rate;
      variant.program.pause();
    }
    const samples = await sampleVariants(variants, rounds, Math.round(bareRate * SLICE_SECONDS[length]), work);
    for (const variant of Object.values(variants)) {
      variant.program.resume();
      await check(variant);
    }
    return samples;
  } finally {
    for (const { program } of [...Object.values(variants), { program: partner }]) await program.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function startCaller(name, called, folder) {
  const { nodeArgs = [], partner } = VARIANTS[name];
  const otelPort = await freePort();
  const env = { OTEL_EXPORTER_PROMETHEUS_PORT: String(otelPort) };
  if (partner !== undefined) {
    const host = partner === 'called' ? `127.0.0.1:${called.port}` : 'partner.example.com';
    const file = join(folder, `${partner}.json`);
    writeFileSync(file, JSON.stringify({ hosts: { [host]: { partner: '12', paths: { '/v1/orders/:id': '1202' } } } }));
    env.CHANNEL_EXPORTER_PARTNERS = file;
    delete env.OTEL_EXPORTER_PROMETHEUS_PORT;
  }
  const program = await startProgram('apps/caller.js', { nodeArgs, env });
  const scrapeUrl = async () =>
    nodeArgs === OURS || nodeArgs === OTHERS ? program.ownScrapeUrl() : `http://127.0.0.1:${otelPort}/metrics`;
  return { program, scrapeUrl };
}

async function check(variant) {
  const { counter, partner } = VARIANTS[variant.name];
  if (counter === undefined) return;
  await expectCount(await variant.scrapeUrl(), counter, () => (partner === 'other' ? 0 : variant.called));
}

export function tables(results) {
  const clients = CLIENTS.filter((client) => results.has(client));
  const head = ['calls', ...clients.flatMap((client) => [`${client}: calls/s`, `${client}: CPU`])];
  const cells = clients.map((client) => results.get(client).data);
  return [table(head, comparisonRows(Object.keys(VARIANTS), cells))];
}

/** @returns undefined where no calls have been measured */
export function chart(results) {
  const groups = CLIENTS.filter((client) => results.has(client)).map((client) => ({
    name: client === 'http' ? 'node:http' : client,
    bars: comparisonBars(Object.keys(VARIANTS), results.get(client).data, (name) => VARIANTS[name].nodeArgs === OURS),
  }));
  return groups.length === 0
    ? undefined
    : { title: 'Calls made: CPU time of the bare application over that of the variant', groups };
}
