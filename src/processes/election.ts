/**
 * Decides whether this process is the hub of its service or a member of the hub.
 *
 *   outside ──first use──▶ joining ──port bound──▶ hub
 *      │                    ▲   │ └──hub answers──▶ member ──hub has ended──▶ joining
 *      └─hub answers───────▶│   └───neither───────▶ waiting ──retry──▶ …
 *
 * The process that binds the port exclusively is the hub; the kernel guarantees that there is only one. Threads never
 * bind. A hub or a member at rest runs no timer. A server of the application that wants the port gets it (port-claims.ts),
 * and the hub that has let go of it waits.
 */
import { randomInt } from 'node:crypto';
import { errorText, logLine, warn } from '../diagnostics/log';
import type { Deltas } from '../metrics/deltas';
import { endsWithin, pause } from '../runtime/time-limit';
import { type Candidate, type Fault, FaultLog, isAddressInUse, isWebConfig, retryMs } from './election-messages';
import { onFirstThread, onFirstUse } from './first-use';
import type { Hub } from './hub';
import { hubSocketPaths } from './hub-socket';
import type { Joined, Member } from './member';
import { PortClaims } from './port-claims';
import { MAX_PORT, publishToThreads, threadSettings } from './thread-settings';

/** Pauses between attempts while a hub may be starting or ending; about one second in total. */
const PAUSES_MS = [0, 10, 20, 40, 80, 150, 250, 400] as const;
/** How long shutdown() waits until the hub has acknowledged the last batch. */
const LAST_HAND_OVER_MS = 1_000;

export interface ElectionParts extends Candidate {
  readonly isThread: boolean;
  /** Serves the scrape; listen() resolves with the error, or with undefined once the port is bound. */
  readonly server: {
    readonly url: string;
    owns(server: unknown): boolean;
    listen(): Promise<NodeJS.ErrnoException | undefined>;
    /** The port is free when this returns, and a listen() that has not ended gives EADDRINUSE. */
    close(): Promise<void>;
  };
  /** What this process does as the hub, and as a member. */
  readonly hub: Hub;
  readonly member: Member;
  /** Adds what this process measured while it had no hub to its own totals, once it is the hub. */
  readonly addOwn: (deltas: Deltas) => void;
  /** Called once, when this process serves the scrape and is in use; not when it takes over from a hub that has ended. */
  readonly onServing: () => void;
}

export class Election {
  private state: 'outside' | 'joining' | 'hub' | 'member' | 'waiting' | 'ended' = 'outside';
  private hasBegun = false;
  private isWanted = false;
  private wasMember = false;
  private hasAnnounced = false;
  private retry: NodeJS.Timeout | undefined;
  private endFirstUse: () => void = () => undefined;
  /** Settles when the last search for a hub has ended. */
  private settled: Promise<void> = Promise.resolve();
  private readonly faults: FaultLog;
  private readonly claims: PortClaims;

  constructor(private readonly parts: ElectionParts) {
    this.faults = new FaultLog(parts);
    this.claims = new PortClaims(parts, {
      isHub: () => this.state === 'hub',
      hubPaths: () => this.hubPaths(),
      left: (to) => this.wait(to),
      leftByHub: () => this.faults.knownElsewhere(),
    });
  }

  /**
   * Joins a hub that is there already, else waits for the first use. Port 0 is bound at once: no other process can have
   * it.
   */
  begin(): void {
    this.takePlace();
    if (this.isWanted) this.join();
  }

  private takePlace(): void {
    const { syscode, address, isThread, hub, server } = this.parts;
    this.hasBegun = true;
    // before the first use, which may be the same request
    this.claims.begin();
    if (address.port === 0) {
      if (isThread) return;
      this.settle(this.contend());
      this.endFirstUse = onFirstUse(() => this.join());
      const bound = { ...address, port: server.url === '' ? noPort() : Number(new URL(server.url).port) || noPort() };
      publishToThreads(syscode, bound);
      // only threads of this process know which port was free
      onFirstThread(() => hub.open(bound));
      return;
    }
    if (!isThread) publishToThreads(syscode, address);
    this.endFirstUse = onFirstUse(() => this.join());
    this.settle(this.joinExisting());
  }

  /**
   * Waits until it is decided which process serves what this one measures; one second at most. Call it before deltas
   * are taken for a scrape: a process that becomes a member afterwards could not hand over what was taken.
   * @returns whether another process serves them
   */
  async isServedElsewhere(): Promise<boolean> {
    this.join();
    await this.settled;
    return this.state === 'member';
  }

  /** Call at each measurement. */
  measured(): void {
    this.used();
    this.parts.member.measured();
  }

  /** Call when the application is at work, also before the beginning. */
  used(): void {
    if (this.isWanted) return;
    if (this.hasBegun) this.join();
    else this.isWanted = true;
  }

  /** Call when the connection to the hub is lost. */
  hubLost(): void {
    if (this.state !== 'member') return;
    this.wasMember = true;
    this.settle(this.contend());
  }

  /** Hands over what is left, then ends membership, socket and server; does not reject. */
  async end(): Promise<void> {
    const { state } = this;
    const { member, hub, server } = this.parts;
    this.state = 'ended';
    this.claims.end();
    this.endFirstUse();
    clearTimeout(this.retry);
    if (state === 'member') await endsWithin(LAST_HAND_OVER_MS, member.handOver());
    member.close();
    if (state === 'hub') hub.bequeath();
    // before the port is released: the next hub creates sockets with the same names
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
    else if (this.state === 'hub') this.announce();
  }

  private announce(): void {
    if (!this.isWanted || this.hasAnnounced || this.wasMember) return;
    this.hasAnnounced = true;
    this.parts.onServing();
  }

  private settle(search: Promise<void>): void {
    this.settled = search.catch(logError);
  }

  /**
   * Joins at once where a hub is there: a process that ends soon after its first measurement would be too late if it
   * connected only then. Without a hub nothing is opened.
   */
  private async joinExisting(): Promise<void> {
    this.state = 'joining';
    const joined = await this.findHub();
    if (this.state !== 'joining') return;
    if (joined === 'member') this.state = 'member';
    else if (!this.isWanted) this.state = 'outside';
    // not before the first use: a helper that computes and ends is not to report that it was refused
    else if (typeof joined === 'object') this.wait(joined);
    else await this.contend();
  }

  /** Tries to bind the port or to join the hub that has it, until one succeeds or about a second has passed. */
  private async contend(): Promise<void> {
    this.state = 'joining';
    let fault: Fault | undefined;
    for (const pauseMs of PAUSES_MS) {
      // a hub that is starting has bound the port before its socket listens; other faults last for a while.
      // random, so that the members of a hub that died do not all retry at the same moment
      if (pauseMs > 0) await pause(pauseMs * (0.5 + Math.random()));
      if (this.state !== 'joining') return;
      fault = await this.attempt();
      if (fault === undefined) return;
      if (!isAddressInUse(fault)) break;
    }
    if (fault !== undefined && this.state === 'joining') this.wait(fault);
  }

  /** @returns undefined when there is nothing left to try */
  private async attempt(): Promise<Fault | undefined> {
    const error = await this.bind();
    if (this.hasEnded) return undefined;
    if (error === undefined) {
      await this.becomeHub();
      return undefined;
    }
    if (!isAddressInUse(error) && !isWebConfig(error)) return error;
    const joined = await this.findHub();
    if (this.hasEnded) return undefined;
    if (joined === 'no hub') return this.claims.hasYielded ? 'application' : error;
    if (joined !== 'member') return joined;
    this.state = 'member';
    this.faults.clear();
    return undefined;
  }

  private async bind(): Promise<NodeJS.ErrnoException | undefined> {
    const { server, isThread } = this.parts;
    if (isThread || this.claims.hasYielded) return portTaken();
    const error = await server.listen();
    if (!this.claims.hasYielded) return error;
    void server.close();
    return portTaken();
  }

  private async becomeHub(): Promise<void> {
    const { server, hub, member, address, addOwn } = this.parts;
    this.state = 'hub';
    // in one step with the end of bind(): nobody has scraped this process yet
    const left = member.takeLegacy();
    if (left !== undefined) hub.inherit(left);
    // of a hub that was killed its members have nothing either
    if (address.port !== 0) hub.open(address, { mayInherit: !this.wasMember });
    const wasServed = this.wasMember || this.hasAnnounced;
    this.announce();
    if (wasServed && this.faults.hasLogged) logLine('info', `metrics are now on ${server.url}`);
    else if (this.wasMember) logLine('info', `the process that served ${server.url} has ended; this one does so now`);
    this.faults.clear();
    this.wasMember = false;
    for (const deltas of await member.takeQueue()) addOwn(deltas);
  }

  private async findHub(): Promise<Joined> {
    let last: Joined = 'no hub';
    for (const path of this.hubPaths()) {
      const joined = await this.parts.member.connect(path);
      if (joined === 'member' || typeof joined === 'object' || this.hasEnded) return joined;
      if (joined === 'silent') last = joined;
    }
    return last;
  }

  private hubPaths(): readonly string[] {
    return threadSettings()?.paths ?? hubSocketPaths(this.parts.address);
  }

  private wait(fault: Fault): void {
    this.state = 'waiting';
    this.faults.add(fault, this.wasMember);
    this.retry = setTimeout(() => {
      if (this.state === 'waiting') this.settle(this.tryAgain());
    }, retryMs(fault)).unref();
  }

  private async tryAgain(): Promise<void> {
    this.state = 'joining';
    this.claims.forget();
    const fault = await this.attempt();
    if (fault !== undefined && this.state === 'joining') this.wait(fault);
  }
}

/** @returns a number that no port has, and no other process, for the name of the socket of this process's threads */
function noPort(): number {
  return randomInt(MAX_PORT + 1, 2 ** 47);
}

function portTaken(): NodeJS.ErrnoException {
  return Object.assign(new Error('the port is left to another server'), { code: 'EADDRINUSE' });
}

/** No search rejects on purpose, but an unhandled rejection would end the application. */
function logError(error: unknown): void {
  warn('CHX_INTERNAL', 'processes', `an error inside the exporter, in processes: ${errorText(error)}`);
}
