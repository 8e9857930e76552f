/** The attacked cluster, with the preload or without: its ports, its honest callers, and the memory it takes. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { atEnd } from '../support/left-behind';
import { FIXTURES } from '../support/paths';
import { openWorld, PRELOAD, type Service, type World } from '../support/service';
import { until } from '../support/waiting';
import type { Target } from './attack';
import {
  ACTION_CODE,
  type Counts,
  countedOf,
  HonestLoad,
  type HonestPartner,
  PARTNER_CODE,
  sentCounts,
  startHonestPartner,
} from './honest-load';

const WORKERS = 2;
/** As Prometheus may: more often than it does by default. */
const SCRAPE_EVERY_MS = 2_000;
/** Prometheus gives up after 10 s by default. */
const SCRAPE_LIMIT_MS = 10_000;
const RSS_EVERY_MS = 250;
const UNREAD_BODIES = 'channel_exporter_unread_bodies_total';

export interface Scraped {
  readonly counts: Counts;
  /** Bodies that were not read because of a limit; undefined where this version does not count them. */
  readonly unreadBodies: number | undefined;
  readonly series: number;
}

export class Cluster {
  readonly load: HonestLoad;
  /** Resident bytes of all processes together, in the order in which they were read. */
  readonly resident: number[] = [];
  /** Seconds of CPU time under attack of each process, the primary first. */
  readonly cpuSeconds: number[];
  /** Scrapes asked for under attack, and those that were answered. */
  readonly scrapes = { asked: 0, answered: 0 };

  private constructor(
    private readonly world: World,
    private readonly partner: HonestPartner,
    private readonly pids: readonly number[],
    readonly target: Target,
    private readonly stopsAtEnd: () => void,
  ) {
    this.load = new HonestLoad(target.appPort);
    this.cpuSeconds = pids.map(() => 0);
  }

  /** @param hostilePort of the attackers' partner */
  static async start(isMeasured: boolean, hostilePort: number): Promise<Cluster> {
    const world = await openWorld();
    const partner = await startHonestPartner();
    try {
      return await Cluster.startIn(world, partner, isMeasured, hostilePort);
    } catch (error) {
      partner.close();
      await world.end();
      throw error;
    }
  }

  private static async startIn(world: World, partner: HonestPartner, isMeasured: boolean, hostilePort: number) {
    const hostile = `127.0.0.1:${hostilePort}`;
    const file = join(world.folder, 'partners.json');
    const hosts = {
      [partner.host]: { partner: PARTNER_CODE, paths: { '/pay': ACTION_CODE } },
      [hostile]: { partner: '99', paths: { '/*': '9999' } },
    };
    writeFileSync(file, JSON.stringify({ hosts }));
    const service = world.start({
      args: [...(isMeasured ? PRELOAD : []), join(FIXTURES, 'attacks/service.js')],
      env: {
        CHANNEL_EXPORTER_PARTNERS: file,
        PARTNER_URL: `http://${partner.host}`,
        HOSTILE_URL: `http://${hostile}`,
        NODE_ENV: 'production',
      },
    });
    const stopsAtEnd = atEnd(() => kill(service));
    const ready = await service.ready(WORKERS);
    const pids = [service.child.pid as number, ...ready.map(({ pid }) => pid)];
    const ports = {
      appPort: ready[0]?.port as number,
      http2Port: Number(/^http2 (\d+)$/m.exec(service.output())?.[1]),
    };
    const target = isMeasured ? { ...ports, scrapePort: world.port, hubSocket: await hubSocketOf(world) } : ports;
    const cluster = new Cluster(world, partner, pids, target, stopsAtEnd);
    await cluster.load.meetEvery(WORKERS);
    return cluster;
  }

  /** Sends honest requests for so long, and reads memory and CPU time meanwhile. */
  async underAttack(ms: number): Promise<void> {
    const before = this.pids.map(cpuSeconds);
    const reading = setInterval(() => this.resident.push(this.residentBytes()), RSS_EVERY_MS);
    const scraping = setInterval(() => this.scrape(), SCRAPE_EVERY_MS);
    try {
      await this.load.run(ms);
    } finally {
      clearInterval(reading);
      clearInterval(scraping);
      this.pids.forEach((pid, process) => {
        this.cpuSeconds[process] = (this.cpuSeconds[process] as number) + cpuSeconds(pid) - (before[process] as number);
      });
    }
  }

  sent(): Counts {
    return sentCounts(this.load, this.partner);
  }

  /** Scrapes until everything that was sent is counted; when it does not come, what is. */
  async counted(): Promise<Scraped> {
    const isThere = (counts: Counts) =>
      Object.entries(this.sent()).every(([name, sent]) => counts[name as keyof Counts] >= sent);
    const metrics = await this.world.scrapeWhen((seen) => isThere(countedOf(seen))).catch(() => this.world.scrape());
    const unread = metrics.samples.filter(({ name }) => name === UNREAD_BODIES);
    return {
      counts: countedOf(metrics),
      unreadBodies: unread.length === 0 ? undefined : unread.reduce((sum, { value }) => sum + value, 0),
      series: metrics.samples.length,
    };
  }

  async end(): Promise<void> {
    this.load.end();
    this.partner.close();
    this.stopsAtEnd();
    await this.world.end();
  }

  private residentBytes(): number {
    return this.pids.reduce((sum, pid) => sum + residentBytes(pid), 0);
  }

  /** Asks as Prometheus does, and reads the answer to its end without decompressing it. */
  private scrape(): void {
    const { scrapePort } = this.target;
    if (scrapePort === undefined) return;
    this.scrapes.asked++;
    const headers = { 'Accept-Encoding': 'gzip' };
    const options = { host: '127.0.0.1', port: scrapePort, path: '/metrics', agent: false, headers };
    const signal = AbortSignal.timeout(SCRAPE_LIMIT_MS);
    get({ ...options, signal }, (response) => {
      response.resume().on('error', () => undefined);
      response.on('end', () => {
        if (response.statusCode === 200) this.scrapes.answered++;
      });
    }).on('error', () => undefined); // turned away, or too late
  }
}

async function hubSocketOf(world: World): Promise<string> {
  const directory = join(world.folder, `channel-exporter-${process.getuid?.()}`);
  let name: string | undefined;
  await until(() => {
    try {
      name = readdirSync(directory).find((each) => each.endsWith('.sock'));
    } catch {
      // not there yet
    }
    return name !== undefined;
  }, 'no socket of the hub');
  return join(directory, name as string);
}

/** The whole group, as the world itself ends it. */
function kill({ child }: Service): void {
  try {
    process.kill(-(child.pid as number), 'SIGKILL');
  } catch {
    // it has ended
  }
}

/** @returns 0 of a process that has ended */
function residentBytes(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** @returns seconds of CPU time in the life of a process; 0 of one that has ended */
function cpuSeconds(pid: number): number {
  try {
    // behind the name, which may contain anything; fields 14 and 15 of proc(5), in hundredths
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0;
  }
}
