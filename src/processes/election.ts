/**
 * The life of a process among the others of its service: which of them has the port, and how this one gets its
 * measurements there.
 *
 *   outside ──first use──▶ joining ──has the port──▶ hub
 *      │                    ▲   │ └──a hub answers──▶ member ──hub has gone──▶ joining
 *      └─a hub is there────▶│   └───neither─────────▶ waiting ──retry──▶ …
 *
 * Whoever binds the port exclusively is the hub; that is the whole election, and the kernel holds it. Threads never
 * bind. No timer runs in a process that is hub or member and at rest.
 */
import { setEnvironmentData } from 'node:worker_threads';
import { errorText, logLine, warn } from '../diagnostics/log';
import type { Deltas } from '../metrics/deltas';
import { endsWithin, pause } from '../runtime/time-limit';
import { onFirstThread, onFirstUse } from './first-use';
import type { Hub } from './hub';
import { type Address, hubSocketPaths } from './hub-socket';
import type { Joined, Member } from './member';
import { describePortHolder } from './port-holder';
import type { Refused } from './protocol';
import { THREAD_SETTINGS_KEY, type ThreadSettings, threadSettings } from './thread-settings';

/** Pauses between attempts while a hub may be about to begin or to end, about a second together. */
const PAUSES_MS = [0, 10, 20, 40, 80, 150, 250, 400] as const;
/** How long a port that could not be had is left alone. */
const RETRY_MS = 5_000;
const RETRY_REFUSED_MS = 60_000;
/** How long shutdown() waits for the hub. */
const LAST_HAND_OVER_MS = 1_000;

/** Why an attempt ended outside. */
type Fault = Refused | NodeJS.ErrnoException;

export interface ElectionParts {
  readonly syscode: string;
  readonly address: Address;
  readonly isThread: boolean;
  /** Serves the scrape; listening resolves with the error, or undefined. */
  readonly server: {
    readonly url: string;
    listen(): Promise<NodeJS.ErrnoException | undefined>;
    close(): Promise<void>;
  };
  /** The two faces of this process: as hub, as member. */
  readonly hub: Hub;
  readonly member: Member;
  /** Adds what this process measured as a member to its totals as hub. */
  readonly addOwn: (deltas: Deltas) => void;
}

export class Election {
  private state: 'outside' | 'joining' | 'hub' | 'member' | 'waiting' | 'ended' = 'outside';
  private isWanted = false;
  private wasMember = false;
  private hasSaidFault = false;
  private retry: NodeJS.Timeout | undefined;
  private endFirstUse: () => void = () => undefined;
  /** The last search for a hub. */
  private settled: Promise<void> = Promise.resolve();

  constructor(private readonly parts: ElectionParts) {}

  /** Looks whether there is a hub, and waits for the first use otherwise. A free port is nobody's: it is bound now. */
  begin(): void {
    const { address, isThread, hub, server } = this.parts;
    if (address.port === 0) {
      if (isThread) return;
      this.join();
      const bound = { ...address, port: Number(new URL(server.url).port) };
      this.tellThreads(bound);
      // nobody but our own threads can know a port that was free
      onFirstThread(() => hub.open(bound));
      return;
    }
    this.tellThreads(address);
    this.endFirstUse = onFirstUse(() => this.join());
    this.settle(this.visit());
  }

  /**
   * Waits until it is known who serves what this process measures, which takes a second at most. To be asked before
   * anything is taken from here for a scrape: what was taken by a process that then becomes a member would be missing.
   * @returns whether another process does
   */
  async isServedElsewhere(): Promise<boolean> {
    this.join();
    await this.settled;
    return this.state === 'member';
  }

  /** To be called at each measurement. */
  measured(): void {
    if (!this.isWanted) this.join();
    this.parts.member.measured();
  }

  /** To be called when the hub that had let this process in has gone. */
  lost(): void {
    if (this.state !== 'member') return;
    this.wasMember = true;
    this.settle(this.contend());
  }

  /** Hands over what is left and leaves; does not reject. */
  async end(): Promise<void> {
    const { state } = this;
    const { member, hub, server } = this.parts;
    this.state = 'ended';
    this.endFirstUse();
    clearTimeout(this.retry);
    if (state === 'member') await endsWithin(LAST_HAND_OVER_MS, member.handOver());
    member.close();
    // before the port: who gets that takes these names
    await hub.close();
    await server.close();
  }

  private get hasEnded(): boolean {
    return this.state === 'ended';
  }

  private join(): void {
    this.isWanted = true;
    this.endFirstUse();
    if (this.state === 'outside') this.settle(this.contend());
  }

  private settle(search: Promise<void>): void {
    this.settled = search.catch(sayError);
  }

  /**
   * A process that ends soon after its first measurement would not be in time with a connection that it opens then.
   * So one that finds a hub joins it at once; where there is none, nothing is opened.
   */
  private async visit(): Promise<void> {
    this.state = 'joining';
    const joined = await this.meet();
    if (this.state !== 'joining') return;
    if (joined === 'member') this.state = 'member';
    else if (joined !== 'no hub') this.wait(joined);
    else if (this.isWanted) await this.contend();
    else this.state = 'outside';
  }

  /** Tries to have the port or to find who has it, until one of them succeeds or a second has passed. */
  private async contend(): Promise<void> {
    this.state = 'joining';
    let fault: Fault | undefined;
    for (const pauseMs of PAUSES_MS) {
      // at random, so that many members of a hub that died do not come in step
      if (pauseMs > 0) await pause(pauseMs * (0.5 + Math.random()));
      if (this.state !== 'joining') return;
      fault = await this.attempt();
      if (fault === undefined) return;
      if (!isPassing(fault)) break;
    }
    if (fault !== undefined && this.state === 'joining') this.wait(fault);
  }

  /** @returns undefined when there is nothing left to try */
  private async attempt(): Promise<Fault | undefined> {
    const { server, isThread } = this.parts;
    const error = isThread ? portTaken() : await server.listen();
    if (this.hasEnded) return undefined;
    if (error === undefined) {
      await this.becomeHub();
      return undefined;
    }
    if (error.code !== 'EADDRINUSE') return error;
    const joined = await this.meet();
    if (this.hasEnded) return undefined;
    if (joined === 'no hub') return error;
    if (joined !== 'member') return joined;
    this.state = 'member';
    this.hasSaidFault = false;
    return undefined;
  }

  private async becomeHub(): Promise<void> {
    const { server, hub, member, address, addOwn } = this.parts;
    this.state = 'hub';
    if (address.port !== 0) hub.open(address);
    if (this.hasSaidFault) logLine('info', `metrics are now on ${server.url}`);
    else if (this.wasMember) logLine('info', `the process that served ${server.url} has ended; this one does so now`);
    for (const deltas of await member.takeQueue()) addOwn(deltas);
  }

  private async meet(): Promise<Joined> {
    const { paths = hubSocketPaths(this.parts.address) } = threadSettings() ?? {};
    for (const path of paths) {
      const joined = await this.parts.member.connect(path);
      if (joined !== 'no hub' || this.hasEnded) return joined;
    }
    return 'no hub';
  }

  private wait(fault: Fault): void {
    this.state = 'waiting';
    if (!this.hasSaidFault && !this.parts.isThread) sayFault(fault, this.parts);
    this.hasSaidFault = true;
    const retryMs = 'reason' in fault ? RETRY_REFUSED_MS : RETRY_MS;
    this.retry = setTimeout(() => {
      if (this.state === 'waiting') this.settle(this.tryAgain());
    }, retryMs).unref();
  }

  private async tryAgain(): Promise<void> {
    this.state = 'joining';
    const fault = await this.attempt();
    if (fault !== undefined && this.state === 'joining') this.wait(fault);
  }

  /** Threads started from now on belong to this process, whatever their own environment says. */
  private tellThreads(address: Address): void {
    if (this.parts.isThread) return;
    const options = { syscode: this.parts.syscode, port: address.port, ...(address.host && { host: address.host }) };
    const settings: ThreadSettings = { options, paths: hubSocketPaths(address) };
    setEnvironmentData(THREAD_SETTINGS_KEY, settings);
  }
}

/** A hub that begins has the port before it can be met; any other fault stays for a while. */
function isPassing(fault: Fault): boolean {
  return 'code' in fault && fault.code === 'EADDRINUSE';
}

function portTaken(): NodeJS.ErrnoException {
  return Object.assign(new Error('threads do not bind'), { code: 'EADDRINUSE' });
}

function sayFault(fault: Fault, { syscode, address }: ElectionParts): void {
  const { port, host } = address;
  const where = host === undefined ? `port ${port}` : `${host}, port ${port}`;
  const until = 'until then nothing can be scraped here';
  const again = `It is tried again every ${RETRY_MS / 1000} s; ${until}`;
  const another = 'Set CHANNEL_EXPORTER_PORT to another one, 0 for any.';
  if ('reason' in fault) {
    const holder = `the hub of ${fault.syscode} (pid ${fault.pid})`;
    const later = `It is asked again every ${RETRY_REFUSED_MS / 1000} s; ${until}.`;
    if (fault.reason === 'syscode') {
      warn(
        'CHX_SYSCODE_OTHER',
        where,
        `${where} is that of ${holder}, this process is of ${syscode}. ${later} ${another}`,
      );
    } else {
      const why =
        fault.reason === 'version' ? 'runs another version of channel-exporter' : 'has all the members it takes';
      warn('CHX_HUB_REFUSED', where, `${where}: ${holder} ${why}. ${later}`);
    }
  } else if (fault.code === 'EADDRINUSE') {
    const holder = describePortHolder(port);
    const by = holder === undefined ? 'by another program' : `by ${holder}`;
    warn('CHX_PORT_TAKEN', where, `${where} is taken ${by}. ${again}. ${another}`);
  } else {
    warn('CHX_PORT_REFUSED', where, `cannot listen on ${where}: ${fault.message}. ${again}.`);
  }
}

/** Nothing in here rejects by intent; a rejection nobody handles would end the application. */
function sayError(error: unknown): void {
  warn('CHX_INTERNAL', 'processes', `an error inside the exporter, in processes: ${errorText(error)}`);
}
