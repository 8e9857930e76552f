/** Histograms that are pushed with exponential buckets: each measurement once, and quantiles as exact as their scale. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openReceiver, type Receiver } from '../../support/otlp';
import { ask, openWorld, PRELOAD, PROGRAMS, type Service, stateOf, until, type World } from '../../support/service';

const CALLS = 'request_time_histogram';
const INNER = 'A123010101_inner_metrics';
const PROCESSES = 'channel_exporter_processes';
/** Milliseconds, over five octaves: more would be of a lower scale. */
const DURATIONS = Array.from({ length: 40 }, (_, n) => Math.round(4 * 2 ** (n / 8)));
/** What the program's own clock may show beside the exporter's. */
const SLACK_SECONDS = 0.003;

async function inWorld(use: (world: World, receiver: Receiver) => Promise<void>): Promise<void> {
  const receiver = await openReceiver();
  const world = await openWorld();
  try {
    await use(world, receiver);
  } finally {
    await world.end();
    await receiver.end();
  }
}

function start(world: World, receiver: Receiver, program: string, env: Readonly<Record<string, string>> = {}): Service {
  return world.start({
    args: [...PRELOAD, join(PROGRAMS, program)],
    env: {
      OTEL_METRICS_EXPORTER: 'prometheus,otlp',
      OTEL_METRIC_EXPORT_INTERVAL: '150',
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION: 'base2_exponential_bucket_histogram',
      SERVICE: './durations.js',
      WORKERS: '2',
      ...env,
    },
  });
}

async function takes(port: number, path: string): Promise<number> {
  return (JSON.parse(await ask(port, path)) as { seconds: number }).seconds;
}

/** What was pushed last of calls: none lost, none twice, and the same sum as on the scrape. */
async function assertExact(world: World, receiver: Receiver, seconds: readonly number[]): Promise<void> {
  assert.equal(await receiver.reaches(CALLS, seconds.length), seconds.length);
  assert.equal(await receiver.reaches(INNER, seconds.length), seconds.length);
  const last = receiver.pushes.at(-1)?.metrics;
  assert.equal(last?.get(INNER)?.kind, 'exponential');
  const { kind, points = [] } = last?.get(CALLS) ?? {};
  const [point, ...others] = points;
  assert.deepEqual([kind, others], ['exponential', []]);
  assert.ok(point?.exponential);
  const { scale, offset, counts, zeroCount, min = 0, max = 0 } = point.exponential;
  assert.equal(
    counts.reduce((sum, count) => sum + count, zeroCount),
    seconds.length,
  );
  const sorted = [...seconds].sort((one, other) => one - other);
  assert.ok(Math.abs(min - (sorted[0] as number)) < SLACK_SECONDS, `${min} of ${sorted[0]}`);
  assert.ok(Math.abs(max - (sorted.at(-1) as number)) < SLACK_SECONDS, `${max} of ${sorted.at(-1)}`);

  const rank = Math.ceil(0.95 * seconds.length);
  const p95 = sorted[rank - 1] as number;
  let seen = zeroCount;
  const index = counts.findIndex((count) => {
    seen += count;
    return seen >= rank;
  });
  const [lower, upper] = [offset + index, offset + index + 1].map((each) => 2 ** (each / 2 ** scale));
  assert.ok(scale >= 3, `${scale}`);
  const text = `p95 ${p95} in ${lower} to ${upper}`;
  assert.ok(p95 > (lower as number) - SLACK_SECONDS && p95 < (upper as number) + SLACK_SECONDS, text);

  const scrape = await world.scrape();
  const onScrape = scrape.samples.filter(({ name }) => name === `${CALLS}_sum`);
  assert.ok(Math.abs((onScrape[0]?.value ?? 0) - (point.sum ?? 0)) < 1e-9);
  const [counted] = scrape.counts(CALLS);
  assert.equal(counted?.count, seconds.length);
  assert.ok(scrape.samples.some(({ name, labels }) => name === `${CALLS}_bucket` && labels.le === '0.1'));
  assert.deepEqual(
    scrape.samples.filter(({ name }) => name.includes('exponential')),
    [],
  );
}

describe('pushed as exponential histograms', () => {
  it('durations of one process are exact in count and sum, and their p95 is in its bucket', () =>
    inWorld(async (world, receiver) => {
      const [ready] = await start(world, receiver, 'durations.js').ready(1);
      const seconds: number[] = [];
      for (const ms of DURATIONS) seconds.push(await takes((ready as { port: number }).port, `/?${ms}`));
      await assertExact(world, receiver, seconds);
    }));

  it('durations of a cluster are those of all its processes, with what one measured just before its end', () =>
    inWorld(async (world, receiver) => {
      const service = start(world, receiver, 'cluster.js');
      const [ready] = await service.ready(2);
      const { port } = ready as { port: number };
      const seconds: number[] = [];
      for (const ms of DURATIONS) seconds.push(await takes(port, `/?${ms}`));
      seconds.push(await takes(port, '/exit?50'));
      await assertExact(world, receiver, seconds);
      assert.deepEqual(service.said('CHX_'), []);
    }));

  it('a hub that ends leaves them to the other process', () =>
    inWorld(async (world, receiver) => {
      const ports: number[] = [];
      const services: Service[] = [];
      for (const members of [0, 1]) {
        const service = start(world, receiver, 'durations.js');
        services.push(service);
        ports.push(((await service.ready(1))[0] as { port: number }).port);
        await world.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'member' }) === members);
      }
      const seconds: number[] = [];
      for (const [n, ms] of DURATIONS.entries()) seconds.push(await takes(ports[n % 2] as number, `/?${ms}`));
      seconds.push(await takes(ports[0] as number, '/exit?50'));
      const heir = services[1] as Service;
      await until(
        async () => heir.said('this one does so now').length > 0,
        () => heir.output(),
      );
      seconds.push(await takes(ports[1] as number, '/?20'));
      await assertExact(world, receiver, seconds);
    }));

  it('a process without the variable has its measurements at the upper boundaries of their buckets', () =>
    inWorld(async (world, receiver) => {
      const [hub] = await start(world, receiver, 'durations.js').ready(1);
      const one = await takes((hub as { port: number }).port, '/?60');
      await receiver.reaches(CALLS, 1);
      const unset = { OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION: '' };
      const [member] = await start(world, receiver, 'durations.js', unset).ready(1);
      const other = await takes((member as { port: number }).port, '/?30');
      assert.equal(await receiver.reaches(CALLS, 2), 2);
      const [point] = receiver.pushes.at(-1)?.metrics.get(CALLS)?.points ?? [];
      assert.equal(
        point?.exponential?.counts.reduce((sum, count) => sum + count, 0),
        2,
      );
      assert.equal(point?.exponential?.min, undefined);
      assert.ok(Math.abs((point?.sum ?? 0) - one - other) < 2 * SLACK_SECONDS);
    }));
});
