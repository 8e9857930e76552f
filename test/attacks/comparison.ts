/**
 * All attacks together against a cluster of two workers under honest load, without and with the preload: slices of the
 * one and of the other take turns, so that both meet the same noise of the machine.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { endsWithUs } from '../support/left-behind';
import type { Report as AttackersReport, Order } from './attackers/process';
import { Cluster, type Scraped } from './cluster';
import type { Counts } from './honest-load';

/** How long a cluster is attacked until the other has its turn, and how often at least. */
const SLICES = { least: 2, seconds: 15 } as const;
export const P99_RATIO_LIMIT = 2;
/** Of three processes together, beyond what the same cluster without the preload grows by. */
export const GROWTH_LIMIT_BYTES = 48 * 1024 * 1024;

export interface Side {
  readonly sent: Counts;
  readonly failures: readonly string[];
  /** Honest requests under attack that each worker has answered. */
  readonly answered: readonly number[];
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  /** Seconds of CPU time under attack of each process, the primary first. */
  readonly cpuSeconds: readonly number[];
  /** Median of the resident bytes of all processes in each quarter. */
  readonly residentBytes: readonly number[];
}

export interface Comparison {
  readonly seconds: number;
  readonly without: Side;
  readonly preloaded: Side & { readonly scraped: Scraped; readonly scrapes: Cluster['scrapes'] };
  /** Acts of each attack, against both. */
  readonly acts: Readonly<Record<string, number>>;
}

/** @param seconds for which each of the two clusters is attacked */
export async function compareUnderAttack(seconds: number, log: (line: string) => void): Promise<Comparison> {
  const attackers = await startAttackers();
  const clusters: Cluster[] = [];
  const start = async (isMeasured: boolean) => {
    const cluster = await Cluster.start(isMeasured, attackers.partnerPort);
    clusters.push(cluster);
    return cluster;
  };
  try {
    const without = await start(false);
    const preloaded = await start(true);
    // the series of honest callers have to be there before the attack takes their place
    await preloaded.counted();
    let acts: Comparison['acts'] = {};
    const slices = Math.max(SLICES.least, Math.round(seconds / SLICES.seconds));
    for (let slice = 0; slice < slices; slice++) {
      for (const cluster of slice % 2 === 0 ? [without, preloaded] : [preloaded, without]) {
        attackers.attack(cluster.target);
        await cluster.underAttack((seconds * 1000) / slices);
        acts = await attackers.end();
      }
      log(`${slice + 1} of ${slices} slices`);
    }
    const scraped = await preloaded.counted();
    return {
      seconds,
      without: sideOf(without),
      preloaded: { ...sideOf(preloaded), scraped, scrapes: preloaded.scrapes },
      acts,
    };
  } finally {
    attackers.stop();
    for (const cluster of clusters) await cluster.end();
  }
}

async function startAttackers() {
  const child = fork(join(__dirname, 'attackers/process.js'), { execArgv: [] });
  endsWithUs(child);
  // it has said why, where it ends by itself
  const ended = new AbortController();
  child.once('exit', () => ended.abort());
  const report = async () => (await once(child, 'message', { signal: ended.signal }))[0] as AttackersReport;
  const order = (message: Order) => child.send(message);
  const first = await report();
  if (!('partnerPort' in first)) throw new Error('the attackers reported no partner');
  return {
    partnerPort: first.partnerPort,
    attack: (target: Cluster['target']) => order({ attack: target }),
    async end() {
      const acts = report();
      order({ end: true });
      const message = await acts;
      return 'ended' in message ? message.ended : {};
    },
    stop: () => child.kill('SIGKILL'),
  };
}

function sideOf(cluster: Cluster): Side {
  const { latencies, failures, answeredBy } = cluster.load;
  const quarters = [0, 1, 2, 3].map((quarter) => {
    const { length } = cluster.resident;
    return quantile(cluster.resident.slice((quarter * length) / 4, ((quarter + 1) * length) / 4), 0.5);
  });
  return {
    sent: cluster.sent(),
    failures,
    answered: [...answeredBy.values()],
    p50Ms: quantile(latencies, 0.5),
    p90Ms: quantile(latencies, 0.9),
    p99Ms: quantile(latencies, 0.99),
    cpuSeconds: cluster.cpuSeconds,
    residentBytes: quarters,
  };
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

const growth = ({ residentBytes: [, second = 0, , last = 0] }: Side) => last - second;
export const growthBeyond = ({ without, preloaded }: Comparison) => growth(preloaded) - Math.max(0, growth(without));

/** @returns what does not hold of the counts; empty when they are exact */
export function countFaults({ preloaded }: Comparison): string[] {
  const { sent, failures, scraped } = preloaded;
  const faults = Object.entries(sent).flatMap(([name, count]) => {
    const counted = scraped.counts[name as keyof Counts];
    return counted === count ? [] : [`${name}: ${count} sent, ${counted} counted`];
  });
  return failures.length === 0 ? faults : [...faults, `${failures.length} honest requests failed: ${failures[0]}`];
}

/** @returns everything that the package promises and that did not hold */
export function faultsOf(comparison: Comparison): string[] {
  const { without, preloaded } = comparison;
  const ratio = preloaded.p99Ms / without.p99Ms;
  const grown = growthBeyond(comparison);
  return [
    ...countFaults(comparison),
    ...(ratio <= P99_RATIO_LIMIT ? [] : [`p99 is ${ratio.toFixed(2)} of that without the preload`]),
    ...(grown <= GROWTH_LIMIT_BYTES ? [] : [`memory grows by ${mib(grown)} more than without the preload`]),
  ];
}

const mib = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
const ms = (value: number) => `${value.toFixed(1)} ms`;

/** @returns the comparison as tables of Markdown */
export function tableOf({ seconds, without, preloaded, acts }: Comparison): string {
  const { scraped, scrapes } = preloaded;
  const row = (name: string, of: (side: Side) => string) => `| ${name} | ${of(without)} | ${of(preloaded)} |`;
  const counted = Object.entries(preloaded.sent).map(
    ([name, sent]) => `| ${name} | ${sent} | ${scraped.counts[name as keyof Counts]} |`,
  );
  return [
    `Each cluster was attacked for ${seconds} s.`,
    '',
    '| Honest load | without | with the preload |',
    '|---|---|---|',
    row('failed requests', ({ failures }) => String(failures.length)),
    row('answered by each worker', ({ answered }) => answered.join(' + ')),
    row('p50', ({ p50Ms }) => ms(p50Ms)),
    row('p90', ({ p90Ms }) => ms(p90Ms)),
    row('p99', ({ p99Ms }) => ms(p99Ms)),
    row('CPU time of primary and workers', ({ cpuSeconds }) => cpuSeconds.map((each) => each.toFixed(1)).join(' + ')),
    ...[0, 1, 2, 3].map((quarter) =>
      row(`resident, quarter ${quarter + 1}`, ({ residentBytes }) => mib(residentBytes[quarter] as number)),
    ),
    `| scrapes answered | | ${scrapes.answered} of ${scrapes.asked} |`,
    `| samples on the last scrape | | ${scraped.series} |`,
    `| bodies not read | | ${scraped.unreadBodies ?? 'not counted by this version'} |`,
    '',
    '| Honest work, with the preload | sent | counted |',
    '|---|---|---|',
    ...counted,
    '',
    '| Attack, against both | acts |',
    '|---|---|',
    ...Object.entries(acts).map(([name, count]) => `| ${name} | ${count} |`),
  ].join('\n');
}
