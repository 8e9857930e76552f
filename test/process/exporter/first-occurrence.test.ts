/** What `increase()` of a real Prometheus makes of codes that occur once: each is found, and nothing is found twice. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { INNER } from '../../support/app';
import { type DebianProgram, findDebianProgram, reportNotRun } from '../../support/debian';
import { effort } from '../../support/effort';
import { Prometheus } from '../../support/prometheus';
import { Random } from '../../support/random';
import { ask, openWorld, PRELOAD, PROGRAMS, type Service, until, type World } from '../../support/service';

const PROMETHEUS: DebianProgram = { packages: ['prometheus'], program: 'usr/bin/prometheus' };
const CODES = 100;
const LOAD_MS = effort({ short: 30_000, full: 75_000 });
const SUCCESS_EVERY_MS = 100;
/** After the last code, until every replica has scraped it. */
const REST_MS = 5_000;
/** A part of what is counted. */
const TOLERANCE = 0.01;
const LIMIT_MS = 240_000;
const FAMILY = `${INNER}_count`;

/** When what was sent was answered, in milliseconds of the Unix epoch. */
interface Answered {
  readonly successes: readonly number[];
  readonly codes: ReadonlyMap<string, number>;
}

/** Sends successes all along and each code once, at a random moment. */
async function load(port: number): Promise<Answered> {
  const random = new Random(1);
  const codes = new Map<string, number>();
  const sent = Array.from({ length: CODES }, async (_, n) => {
    await pause(random.below(LOAD_MS));
    const answered = () =>
      ask(port, `/code?E${n}`).then(
        () => true,
        () => false,
      );
    // a worker that is being replaced may be gone
    await until(answered, `E${n} was not answered`);
    codes.set(`E${n}`, Date.now());
  });
  const successes: number[] = [];
  for (const end = Date.now() + LOAD_MS; Date.now() < end; await pause(SUCCESS_EVERY_MS)) {
    await ask(port, '/x').then(
      () => successes.push(Date.now()),
      () => undefined,
    );
  }
  await Promise.all(sent);
  return { successes, codes };
}

async function assertFound(prometheus: Prometheus, { successes, codes }: Answered, sinceMs: number): Promise<void> {
  // as of the last sample: to the time after it increase() adds what it takes to have happened there
  const samples = (await prometheus.samples(`${FAMILY}{path="/x"}`)).flatMap((series) => series.samples);
  const lastMs = Math.max(...samples.map(([atMs]) => atMs));
  const range = `${Math.ceil((lastMs - sinceMs) / 1_000)}s`;
  const resultOf = (expression: string) => prometheus.query(expression, lastMs / 1_000);
  const found = await resultOf(`sum by (code) (increase(${FAMILY}{path="/code"}[${range}])) > 0.5`);
  const missing = [...codes].filter(([code]) => !found.some(({ labels }) => labels.code === code));
  assert.deepEqual(missing, []);
  const increaseOf = async (path: string) =>
    (await resultOf(`sum(increase(${FAMILY}{path="${path}"}[${range}]))`))[0]?.value ?? 0;
  assertNear(await increaseOf('/code'), codes.size);
  assertNear(await increaseOf('/x'), successes.length);
}

function assertNear(value: number, expected: number): void {
  assert.ok(Math.abs(value - expected) <= expected * TOLERANCE, `${value} of ${expected}`);
}

/** Two replicas of Prometheus, as they are run for availability, scrape while the work goes on. */
async function underTwo(
  t: TestContext,
  world: World,
  work: (start: () => Promise<Prometheus>, port: number, cluster: Service) => Promise<Answered>,
): Promise<void> {
  const found = await findDebianProgram(PROMETHEUS);
  if ('missing' in found) {
    reportNotRun(t, found.missing);
    return;
  }
  const running: Prometheus[] = [];
  const start = async () => {
    const prometheus = await Prometheus.start(found.path, { service: `127.0.0.1:${world.port}` });
    running.push(prometheus);
    return prometheus;
  };
  try {
    const env = {
      WORKERS: '2',
      RESPAWN: '1',
      EXEC_ARGV: JSON.stringify(PRELOAD),
      CHANNEL_EXPORTER_LABEL_VALUES_LIMIT: 'code=200',
    };
    const cluster = world.start({ args: [`${PROGRAMS}/cluster.js`], env });
    const [ready] = await cluster.ready(2);
    const port = ready?.port as number;
    const sinceMs = Date.now();
    await ask(port, '/warm');
    const replicas = [await start(), await start()];
    for (const each of replicas) {
      await each.when('it scrapes', async () => (await each.query(`${FAMILY}{path="/warm"}`)).length === 1);
    }
    const answered = await work(start, port, cluster);
    await pause(REST_MS);
    for (const each of replicas) await assertFound(each, answered, sinceMs);
  } finally {
    for (const each of running) await each.stop();
    await world.end();
  }
}

describe('codes that occur once', { concurrency: true }, () => {
  it('are found by two replicas, and a third that joins sees no jump', { timeout: LIMIT_MS }, async (t) => {
    const world = await openWorld();
    await underTwo(t, world, async (start, port) => {
      const answered = await load(port);
      const successes = answered.successes.length;
      const third = await start();
      const [first] = await third.samplesWhen(`${FAMILY}{path="/x"}`, 5);
      assert.equal(first?.samples[0]?.[1], successes, 'what is older than a minute is true at once');
      assert.deepEqual(new Set(first?.samples.map(([, value]) => value)), new Set([successes]));
      return answered;
    });
  });

  it('are found while workers are replaced, the hub among them', { timeout: LIMIT_MS }, async (t) => {
    const world = await openWorld();
    await underTwo(t, world, async (_start, port, cluster) => {
      const replaced = (async () => {
        for (let round = 0; round < 2; round++) {
          await pause(LOAD_MS / 3);
          cluster.child.kill('SIGHUP');
        }
      })();
      const answered = await load(port);
      await replaced;
      return answered;
    });
  });
});
