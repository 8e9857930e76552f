/**
 * A real Prometheus scrapes a cluster all along while its processes are killed and replaced under load.
 *
 * The truth is the number of requests that clients saw answered. Two things blur it, both bounded: a request whose
 * process is killed may have been counted before its client had the answer, and what a killed process held is missing.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findPortHolder } from '../../../src/processes/port-holder';
import { INNER } from '../../support/app';
import { type DebianProgram, findDebianProgram, reportNotRun } from '../../support/debian';
import { Prometheus, type SampledSeries } from '../../support/prometheus';
import { ask, openWorld, PRELOAD, PROGRAMS, type Service, send, until } from '../../support/service';

const PROMETHEUS: DebianProgram = { packages: ['prometheus'], program: 'usr/bin/prometheus' };
const SCRAPE_INTERVAL = '200ms';
const COUNTER = `${INNER}_count{path="/x",http_status="200"}`;
const WORKERS = 3;
const ROUNDS = 4;
const SENDERS = 4;
/** Keeps the load below what makes scrapes of a small machine late. */
const PAUSE_MS = 5;
/**
 * Requests of a round. A process is killed when Prometheus has more than half of them from the hub of the round: what is
 * left is less, so that a counter that begins anew cannot have passed its old value before it is scraped again. Prometheus
 * itself would not know such a counter from one that went on.
 */
const REQUESTS_PER_ROUND = 600;
/** What a process that is killed takes along was measured within this time; docs/processes.md says so. */
const LOSS_MS = 1_000;
const LIMIT_MS = 180_000;

/** Clients that send as many requests as they are allowed, and note when each was answered, and by whom. */
class Load {
  readonly answers: { readonly atMs: number; readonly pid: number }[] = [];
  failed = 0;
  private left = 0;
  private isOver = false;
  private readonly senders: Promise<unknown>;

  constructor(port: number) {
    this.senders = Promise.all(Array.from({ length: SENDERS }, () => this.send(port)));
  }

  allow(requests: number): void {
    this.left += requests;
  }

  get sent(): number {
    return this.answers.length + this.failed;
  }

  answeredWithin(fromMs: number, toMs: number, by?: number): number {
    return this.answers.filter(({ atMs, pid }) => atMs >= fromMs && atMs <= toMs && pid === (by ?? pid)).length;
  }

  async end(): Promise<void> {
    this.isOver = true;
    await this.senders;
  }

  private async send(port: number): Promise<void> {
    while (!this.isOver) {
      if (this.left > 0) {
        this.left--;
        await ask(port, '/x').then(
          (body) => this.answers.push({ atMs: Date.now(), pid: (JSON.parse(body) as { pid: number }).pid }),
          () => this.failed++,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

/** The processes that are measured. */
class Processes {
  readonly killed: { readonly pid: number; readonly atMs: number }[] = [];
  private known: readonly number[] = [];

  constructor(
    readonly cluster: Service,
    private readonly port: number,
  ) {}

  /** Waits until so many workers have started in all. @returns the port that they serve */
  async started(count: number): Promise<number> {
    const ready = await this.cluster.ready(count);
    this.known = ready.map(({ pid }) => pid);
    return ready[0]?.port as number;
  }

  /** The one that has the port of the scrape. */
  get hub(): number {
    return Number(findPortHolder(this.port)?.pid);
  }

  get member(): number {
    const gone = [this.hub, ...this.killed.map(({ pid }) => pid)];
    return this.known.find((pid) => !gone.includes(pid)) as number;
  }

  /** Waits until those that were to go have gone. */
  async areSettled(): Promise<void> {
    const alive = () => this.known.filter(isAlive).length;
    await until(
      async () => alive() === WORKERS,
      () => `${alive()} workers are there`,
    );
  }

  kill(...pids: number[]): void {
    for (const pid of pids) {
      process.kill(pid, 'SIGKILL');
      this.killed.push({ pid, atMs: Date.now() });
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

interface Storm {
  readonly name: string;
  readonly start: { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> };
  /** Ends processes, each of which is replaced. @returns how many */
  readonly strike: (processes: Processes) => number;
  /** Members that a hub has when all are there. */
  readonly members: number;
  /** Whether counters begin again: a hub is killed. */
  readonly hubEnds: boolean;
}

const PRIMARY_TOO = { args: [...PRELOAD, `${PROGRAMS}/cluster.js`], env: {} };
const WORKERS_ALONE = { args: [`${PROGRAMS}/cluster.js`], env: { EXEC_ARGV: JSON.stringify(PRELOAD) } };

const STORMS: readonly Storm[] = [
  {
    name: 'members are killed',
    start: PRIMARY_TOO,
    strike(processes) {
      processes.kill(processes.member);
      return 1;
    },
    members: WORKERS,
    hubEnds: false,
  },
  {
    name: 'hub and member are killed together',
    start: WORKERS_ALONE,
    strike(processes) {
      processes.kill(processes.member, processes.hub);
      return 2;
    },
    members: WORKERS - 1,
    hubEnds: true,
  },
  {
    name: 'workers are replaced one after the other, the hub among them',
    start: WORKERS_ALONE,
    strike({ cluster }) {
      cluster.child.kill('SIGHUP');
      return 1;
    },
    members: WORKERS - 1,
    // the next one goes on with its totals
    hubEnds: false,
  },
];

/** What Prometheus has scraped of a counter, sample by sample. */
function readSamples({ samples }: SampledSeries) {
  const steps = samples.slice(1).map(([toMs, value], index) => {
    const [fromMs, before] = samples[index] as readonly [number, number];
    return { fromMs, toMs, value, hasFallen: value < before, rise: value < before ? value : value - before };
  });
  const [firstMs, firstValue] = samples[0] as readonly [number, number];
  const [lastMs] = samples.at(-1) as readonly [number, number];
  const falls = steps.filter(({ hasFallen }) => hasFallen);
  return { firstMs, firstValue, lastMs, falls, increase: sum(steps.map(({ rise }) => rise)) };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

describe('a real Prometheus shows no more than was answered', () => {
  for (const { name, start, strike, members, hubEnds } of STORMS) {
    it(`while ${name}`, { timeout: LIMIT_MS }, async (t) => {
      const found = await findDebianProgram(PROMETHEUS);
      if ('missing' in found) {
        reportNotRun(t, found.missing);
        return;
      }
      const world = await openWorld();
      const prometheus = await Prometheus.start(found.path, { service: `127.0.0.1:${world.port}` }, SCRAPE_INTERVAL);
      let load: Load | undefined;
      try {
        // workers accept connections themselves: none is handed to one that is dead
        const env = { WORKERS: String(WORKERS), RESPAWN: '1', NODE_CLUSTER_SCHED_POLICY: 'none', ...start.env };
        const processes = new Processes(world.start({ args: start.args, env }), world.port);
        let count = WORKERS;
        const port = await processes.started(count);
        await send(port, 1);
        const shown = async () => (await prometheus.query(COUNTER))[0]?.value ?? 0;
        await prometheus.when('the first request is there', async () => (await shown()) === 1);

        // timestamp() knows when a sample was scraped of a series alone: of a comparison it gives the time of the query
        const ofMembers = 'channel_exporter_processes{state="member"}';
        const isAllThere = (sinceMs: number) =>
          `timestamp(${ofMembers}) * 1000 > ${sinceMs} and ${ofMembers} == ${members}`;
        const scrapedMs = async (sinceMs: number) =>
          ((await prometheus.query(isAllThere(sinceMs)))[0]?.value ?? 0) || undefined;
        const isScraped = async (clients: Load, requests: number, sinceMs: number) => {
          let firstMs: number | undefined;
          await prometheus.when(`${requests} requests are scraped`, async () => {
            if (clients.sent < requests) return false;
            if (firstMs !== undefined) return (await scrapedMs(firstMs)) !== undefined;
            firstMs = await scrapedMs(Math.max(sinceMs, clients.answers.at(-1)?.atMs ?? 0));
            // to the first scrape a hub that is new shows the series at zero
            return false;
          });
        };

        const clients = new Load(port);
        load = clients;
        for (let round = 1; round <= ROUNDS; round++) {
          const before = await shown();
          clients.allow(REQUESTS_PER_ROUND);
          const half = before + REQUESTS_PER_ROUND / 2;
          await prometheus.when('half of a round is scraped', async () => (await shown()) > half);
          count += strike(processes);
          await processes.started(count);
          await processes.areSettled();
          await isScraped(clients, round * REQUESTS_PER_ROUND, Date.now());
        }
        // a member that was late for one scrape is in the next
        await isScraped(clients, ROUNDS * REQUESTS_PER_ROUND, Date.now() + LOSS_MS);
        await clients.end();

        const all = await prometheus.samples(COUNTER);
        assert.equal(all.length, 1, 'one series');
        const { firstMs, firstValue, lastMs, falls, increase } = readSamples(all[0] as SampledSeries);
        // with the first request, where Prometheus saw it begin at zero: not after a scrape that it gave up
        assert.ok(firstValue <= 1);
        const answered = clients.answers.length + 1 - firstValue;
        assert.ok(increase <= answered + clients.failed, `${increase} of ${answered} and ${clients.failed}`);

        assert.ok(falls.length <= (hubEnds ? ROUNDS : 0), `${falls.length} times a counter has fallen`);
        assert.ok(falls.length > 0 === hubEnds, 'what is to be shown has happened');
        for (const { fromMs, toMs, value } of falls) {
          const unseen = clients.answeredWithin(fromMs - LOSS_MS, toMs) + SENDERS;
          assert.ok(value <= unseen, `begins anew with ${value}; no more than ${unseen} had not been scraped before`);
        }

        const { killed } = processes;
        const mayMiss =
          sum(falls.map(({ fromMs, toMs }) => clients.answeredWithin(fromMs, toMs))) +
          sum(killed.map(({ pid, atMs }) => clients.answeredWithin(atMs - LOSS_MS, atMs, pid)));
        const inFlight = SENDERS * (falls.length + killed.length);
        const missing = answered - increase;
        assert.ok(missing <= mayMiss + inFlight, `${missing} of ${answered} are missing, ${mayMiss} may`);
        const kills = `${killed.length} processes killed, ${falls.length} resets`;
        t.diagnostic(`${kills}: of ${answered} answered ${missing} are missing, ${mayMiss} might be`);

        // Prometheus extrapolates to the ends of a window. One that begins with the first sample and ends with the last
        // leaves nothing to extrapolate; the millisecond more is for Prometheus 3, whose windows leave out their beginning.
        const range = `${COUNTER}[${lastMs - firstMs + 1}ms]`;
        const at = async (expression: string) => (await prometheus.query(expression, lastMs / 1000))[0]?.value;
        assert.equal(Math.round((await at(`increase(${range})`)) ?? Number.NaN), increase);
        const seconds = (lastMs - firstMs + 1) / 1000;
        assert.equal(Math.round(((await at(`rate(${range})`)) ?? Number.NaN) * seconds), increase);
        assert.equal(await at(`resets(${range})`), falls.length);
      } finally {
        await load?.end();
        await prometheus.stop();
        await world.end();
      }
    });
  }
});
