/** What is compared when requests are answered: how each variant is started, and where it counts what it measured. */
import { join } from 'node:path';
import { BARE, BARE_AGAIN } from './support/comparison.mjs';
import { BENCHMARKS, freePort, OTHERS, OURS, SYSCODE, startProgram, withOtherBuild } from './support/program.mjs';

const INNER_COUNT = `${SYSCODE}_inner_metrics_count`;
const peerFile = (name) => join(BENCHMARKS, 'peers', name);
const preload = (name) => ['-r', peerFile(name)];
/** For rows of OpenTelemetry: its exporter cannot say which port it took. */
const ownPort = async () => ({ OTEL_EXPORTER_PROMETHEUS_PORT: String(await freePort()) });

export const FRAMEWORKS = {
  express5: { title: 'Express 5', script: 'apps/express.js', module: 'express' },
  express4: { title: 'Express 4', script: 'apps/express.js', module: 'express4' },
  fastify: { title: 'Fastify', script: 'apps/fastify.js', module: 'fastify' },
  http: { title: 'node:http', script: 'apps/http.js', module: 'http' },
};

const ALL = Object.keys(FRAMEWORKS);
const EXPRESS = ['express5', 'express4'];

export const OURS_NAME = 'channel-exporter';

/**
 * `counter`: the sample that counts requests, where the variant counts any. `counts`: false where it is to count none.
 * `countsScrapes`: whether requests to its own scrape are among them.
 * `isPathIgnored`: the requested path is on our list of those not recorded.
 */
export const VARIANTS = {
  [BARE]: { frameworks: ALL },
  [BARE_AGAIN]: { frameworks: ALL },
  'channels empty': { frameworks: ALL, nodeArgs: preload('empty-channels.js') },
  [OURS_NAME]: { frameworks: ALL, nodeArgs: OURS, counter: INNER_COUNT },
  ...withOtherBuild({ 'another build': { frameworks: ALL, nodeArgs: OTHERS, counter: INNER_COUNT } }),
  'channel-exporter, no bodies read': {
    frameworks: ALL,
    nodeArgs: OURS,
    env: { CHANNEL_EXPORTER_BODY_LIMIT: '0' },
    counter: INNER_COUNT,
  },
  'channel-exporter, ignored path': {
    frameworks: ALL,
    nodeArgs: OURS,
    env: { CHANNEL_EXPORTER_IGNORE_PATHS: '/api/100B/7,/api/10kB/7,/api/1MB/7' },
    counter: INNER_COUNT,
    counts: false,
  },
  'prom-client by hand': { frameworks: ALL, peer: 'prom-client', counter: 'inner_metrics_count' },
  'express-prom-bundle': {
    frameworks: EXPRESS,
    peer: 'express-prom-bundle',
    counter: 'http_request_duration_seconds_count',
  },
  promster: {
    frameworks: [...EXPRESS, 'fastify'],
    peer: 'promster',
    counter: 'http_request_duration_seconds_count',
  },
  'OpenTelemetry, metrics alone': {
    frameworks: ALL,
    nodeArgs: preload('otel-metrics.js'),
    makeEnv: ownPort,
    counter: 'http_server_request_duration_count',
    countsScrapes: true,
  },
  'OpenTelemetry, stock set': {
    frameworks: ALL,
    nodeArgs: preload('otel-stock.js'),
    makeEnv: ownPort,
    counter: 'http_server_request_duration_count',
    countsScrapes: true,
  },
};

/**
 * Starts a variant's application.
 * @param {string[]} more arguments of Node, of every variant
 * @returns the program and where it is scraped
 */
export async function startVariant(framework, name, more = []) {
  const { script, module } = FRAMEWORKS[framework];
  const { nodeArgs = [], peer, env: fixed = {}, makeEnv, counter } = VARIANTS[name];
  const env = { ...fixed, ...(await makeEnv?.()) };
  const args = peer === undefined ? [module] : [module, peer];
  const program = await startProgram(script, { args, nodeArgs: [...more, ...nodeArgs], env });
  if (counter === undefined) return { program };
  let scrapeUrl = `${program.url}/metrics`;
  if (nodeArgs === OURS || nodeArgs === OTHERS) scrapeUrl = await program.ownScrapeUrl();
  else if (makeEnv !== undefined) scrapeUrl = `http://127.0.0.1:${env.OTEL_EXPORTER_PROMETHEUS_PORT}/metrics`;
  return { program, scrapeUrl };
}
