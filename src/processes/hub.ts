/**
 * The hub's side: accepts members, adds each of their batches once, asks all of them at a scrape, and counts members
 * that are connected, members that have left and what was dropped.
 */
import type { Socket } from 'node:net';
import { errorText, warn } from '../diagnostics/log';
import type { Deltas } from '../metrics/deltas';
import type { Legacy } from '../metrics/legacy';
import { DROP_REASONS, type DropReason, type StateSample } from '../metrics/totals';
import { nowMs } from '../runtime/clock';
import { endsWithin, pause } from '../runtime/time-limit';
import { VERSION } from '../version';
import { STATE_FAMILIES } from '../views';
import { type Address, HubSocket } from './hub-socket';
import { type LastBatch, LegacyInbox, type LegacyMessage, legacyMessages, type Received } from './legacy-messages';
import { MessageReader } from './message-reader';
import { logDropped, logPaused } from './peer-messages';
import { onProcessExit } from './process-exit';
import {
  encodeFrame,
  type Hello,
  type HubMessage,
  MAX_FRAME_BYTES,
  type MemberMessage,
  memberMessage,
  PROTOCOL_VERSION,
  type Refusal,
  type ReleaseRequest,
  type ScrapeRequest,
} from './protocol';
import { boundDeltas, type FamilyLabels } from './received-deltas';
import { RefusedServices } from './refused-services';
import { type Scrape, sendScrape } from './scrape-exchange';
import { SharedSyscode } from './shared-syscode';
import { sendNow } from './socket-write';
import { UnknownPeers } from './unknown-peers';

/** How long a scrape waits for members; Prometheus waits 10 s for a scrape by default. */
const GATHER_LIMIT_MS = 500;
const MAX_HELLO_BYTES = 1_024;
/** How often a scrape checks that the socket is still there. */
const SOCKET_CHECK_MS = 5_000;
/**
 * Members stay for so long when the port is left to a server of one of them: they would try to bind it themselves before
 * that server has it.
 */
const STAY_MS = 500;
const MAX_MEMBERS = 512;
/** Scrapes that other processes are sent at a time; each has one at most. */
const MAX_SCRAPES = 64;
/** How long the first scrape waits for members that bring what another hub has left. */
const LEGACY_WAIT_MS = 150;
/** How long a hub that ends tries to write to members that do not read. */
const LEAVE_LIMIT_MS = 200;
/** Members, connected and left, whose last batch number is remembered. */
const MAX_REMEMBERED = 10_000;

/** Told what members send. */
export interface MemberListener {
  /** Adds deltas. @returns how many series were dropped, by reason */
  add(deltas: Deltas, member: string): Iterable<readonly [DropReason, number]>;
  /** What a process says of itself. */
  read(member: string, pid: number, reading: Deltas): void;
  left(member: string): void;
  /** Ends the totals. @returns what is left to the next hub */
  leave(): Legacy;
  /** Goes on with what another hub has left. @returns whether that was possible */
  inherit(left: Legacy): boolean;
}

type Batch = Extract<MemberMessage, { readonly type: 'batch' }>;
type Collected = Extract<MemberMessage, { readonly type: 'collected' }>;

interface Peer {
  readonly socket: Socket;
  hello?: Hello;
  /** Whether it has asked for a scrape in place of sending a hello. */
  isScraping?: boolean;
  /** Whether it has sent its last batch. */
  hasTakenLeave?: boolean;
  /** The collect message that it has not answered yet. */
  asked?: { readonly id: number; readonly answered: () => void };
  /** Number of the first batch that was added of it. */
  firstBatch?: number;
  /** What it brings of the hub before. */
  legacy?: LegacyInbox;
}

export class Hub {
  private readonly peers = new Map<string, Peer>();
  /** Member to the number of its last batch, in the order of that batch's arrival. */
  private readonly lastBatches = new Map<string, number>();
  /** Members that have left without taking leave, among those that are remembered. */
  private readonly lostMembers = new Set<string>();
  private readonly dropped = new Map<DropReason, number>(DROP_REASONS.map((reason) => [reason, 0]));
  private readonly refused = new RefusedServices();
  private readonly sharedSyscode = new SharedSyscode();
  private socket: HubSocket | undefined;
  private socketCheckedMs = 0;
  private readonly unknownPeers = new UnknownPeers(() => this.drop('connections', 1));
  private hasInherited = false;
  /** Whether totals were left: nothing is added any more. */
  private hasLeft = false;
  /** Settles when another hub's totals are here, or are not waited for any more. */
  begun: Promise<unknown> = Promise.resolve();
  /** Whether they are waited for: after that somebody may have seen others. */
  private mayInherit = false;
  private endWait: () => void = () => undefined;
  private endExitListener: () => void = () => undefined;
  private collects = 0;
  private gone = 0;
  /** Of those gone. */
  private lost = 0;
  private late = 0;
  private readPauses = 0;
  private collectionSeconds = 0;
  private scrapes = 0;
  private letGo: (request: ReleaseRequest) => void = () => undefined;

  /**
   * @param syscode of this service; members of another one are refused
   * @param labels of this process's families; a member's have to be the same
   * @param scrape of the service, for members whose application answers it on its own port
   * @param members told what they send
   */
  constructor(
    private readonly syscode: string,
    private readonly labels: FamilyLabels,
    private readonly scrape: Scrape,
    private readonly members: MemberListener,
  ) {}

  /**
   * Begins to accept members; this process is the hub from now on.
   * @param mayInherit whether the first scrape waits for what members may bring
   */
  open(address: Address, { mayInherit = false } = {}): void {
    this.socket = new HubSocket(address, (socket) => this.receive(socket));
    void this.openSocket(this.socket);
    this.endExitListener = onProcessExit(() => this.bequeath());
    if (!mayInherit || this.hasInherited) return;
    const inherited = new Promise<void>((resolve) => {
      this.endWait = resolve;
    });
    this.mayInherit = true;
    this.begun = endsWithin(LEGACY_WAIT_MS, inherited).then(() => {
      this.mayInherit = false;
    });
  }

  /** Goes on where another hub has ended; before this one is scraped, and before it opens. */
  inherit(left: Received): void {
    const { deltas } = boundDeltas(left.totals, this.labels);
    const isAdded = ([member, number]: LastBatch) => (this.peers.get(member)?.firstBatch ?? Infinity) <= number;
    if (this.hasInherited || left.batches.some(isAdded)) return;
    if (!this.members.inherit({ ...left, totals: deltas })) return;
    this.hasInherited = true;
    this.endWait();
    for (const [member, number] of left.batches) {
      this.remember(member, Math.max(number, this.lastBatches.get(member) ?? 0));
    }
  }

  /** Leaves the totals to the members, for a process that ends by itself; what they send from here on is for the next hub. */
  bequeath(): void {
    const heirs = [...this.peers.values()].filter(({ hello }) => hello?.isThread === false);
    if (this.hasLeft || heirs.length === 0) return;
    this.hasLeft = true;
    try {
      this.sendLegacy(heirs);
    } catch (error) {
      // the application ends as it would without us
      warn('CHX_INTERNAL', 'legacy', `an error inside the exporter, in handing over its totals: ${errorText(error)}`);
    }
  }

  private sendLegacy(heirs: readonly Peer[]): void {
    const batches = Array.from(this.peers.keys(), (member): LastBatch => [member, this.lastBatches.get(member) ?? 0]);
    const frames = legacyMessages(this.members.leave(), batches).map(encodeFrame);
    const until = Date.now() + LEAVE_LIMIT_MS;
    for (const { socket } of heirs) {
      frames.every((frame) => sendNow(socket, frame, { waitForRoom: Date.now() < until }) === 'whole');
    }
  }

  /** @param letGo called when a server of another process or thread wants the port, which is free when it returns */
  onRelease(letGo: (request: ReleaseRequest) => void): void {
    this.letGo = letGo;
  }

  /** Ends it for who waits for the port: nobody can join any more, and members are left later. */
  async closeSlowly(): Promise<void> {
    await this.socket?.close();
    await pause(STAY_MS);
    this.leaveMembers();
  }

  async close(): Promise<void> {
    this.endExitListener();
    await this.socket?.close();
    this.leaveMembers();
  }

  private leaveMembers(): void {
    for (const { socket } of this.peers.values()) socket.destroy();
  }

  /**
   * Asks all members for what they have measured, and waits for their answers, half a second at most.
   * @returns how many have not answered
   */
  async gather(): Promise<number> {
    const begin = nowMs();
    if (this.socket !== undefined && begin > this.socketCheckedMs + SOCKET_CHECK_MS) void this.openSocket(this.socket);
    await this.begun;
    const answers: Promise<void>[] = [];
    let missing = 0;
    for (const peer of this.peers.values()) {
      missing++;
      // a member that has not answered the last scrape hangs; do not wait for it again
      if (peer.asked !== undefined) continue;
      const id = ++this.collects;
      answers.push(
        new Promise((resolve) => {
          const answered = () => {
            missing--;
            resolve();
          };
          peer.asked = { id, answered };
        }),
      );
      send(peer.socket, { type: 'collect', id });
    }
    if (answers.length > 0) await endsWithin(GATHER_LIMIT_MS, Promise.all(answers));
    this.late += missing;
    this.collectionSeconds = answers.length > 0 ? (nowMs() - begin) / 1000 : 0;
    return missing;
  }

  get hasMembers(): boolean {
    return this.peers.size > 0;
  }

  /** Samples of the families in {@link STATE_FAMILIES}. */
  state(): readonly StateSample[] {
    const { processes, collectionSeconds, droppedDeltas, lateDeltas, readPauses, refused } = STATE_FAMILIES;
    const threads = [...this.peers.values()].filter(({ hello }) => hello?.isThread).length;
    const byState = { hub: 1, member: this.peers.size - threads, thread: threads, gone: this.gone, lost: this.lost };
    const sample = (family: string, labels: StateSample['labels'], value: number) => ({ family, labels, value });
    return [
      ...Object.entries(byState).map(([state, value]) => sample(processes, { state }, value)),
      sample(collectionSeconds, {}, this.collectionSeconds),
      ...Array.from(this.dropped, ([reason, value]) => sample(droppedDeltas, { reason }, value)),
      sample(lateDeltas, {}, this.late),
      sample(readPauses, {}, this.readPauses),
      ...Array.from(this.refused.counts(), ([syscode, count]) => sample(refused, { syscode }, count)),
    ];
  }

  private async openSocket(socket: HubSocket): Promise<void> {
    this.socketCheckedMs = nowMs();
    try {
      await socket.open();
    } catch (error) {
      const text = `an error inside the exporter, in opening the hub's socket: ${errorText(error)}`;
      warn('CHX_INTERNAL', 'hub socket', text);
    }
  }

  private receive(socket: Socket): void {
    socket.on('error', () => undefined);
    const helloArrived = this.unknownPeers.add(socket);
    if (helloArrived === undefined) return;
    socket.unref();
    const peer: Peer = { socket };
    const reader = new MessageReader(socket, {
      maxFrameBytes: MAX_HELLO_BYTES,
      parse: memberMessage,
      onMessage: (message) => {
        if (message.type === 'hello') {
          helloArrived();
          reader.maxFrameBytes = MAX_FRAME_BYTES;
          this.accept(peer, message);
        } else if (message.type === 'scrape') {
          if (peer.hello !== undefined || peer.isScraping) throw new Error('a scrape after a hello');
          helloArrived();
          void this.answerScrape(peer, message);
        } else if (message.type === 'release') {
          if (peer.hello !== undefined || peer.isScraping) throw new Error('a wish for the port after a hello');
          helloArrived();
          this.release(peer, message);
        } else if (peer.hello === undefined) throw new Error('no hello');
        else if (message.type === 'batch') {
          peer.firstBatch ??= message.number;
          this.take(peer, peer.hello.member, message);
        } else if (message.type === 'legacy' || message.type === 'totals') this.bring(peer, message);
        else this.collected(peer, peer.hello, message);
      },
      onMalformed: () => this.drop('malformed', 1),
      onPaused: () => {
        this.readPauses++;
        logPaused(`the process that gave ${peer.hello?.pid} as its pid`, true);
      },
    });
    socket.on('close', () => this.leave(peer));
  }

  private accept(peer: Peer, hello: Hello): void {
    if (peer.hello !== undefined || peer.isScraping) throw new Error('a second hello');
    const refusal = this.refusalOf(hello);
    if (refusal !== undefined) {
      if (refusal === 'syscode') this.refused.add(hello);
      const { syscode } = this;
      const { pid } = process;
      const versions = { version: PROTOCOL_VERSION, release: VERSION };
      peer.socket.end(encodeFrame({ type: 'refused', reason: refusal, syscode, pid, ...versions }));
      return;
    }
    // a member has one connection; an older one has not been closed yet
    const { member } = hello;
    const former = this.peers.get(member);
    if (former !== undefined) {
      this.leave(former);
      former.socket.destroy();
    }
    if (this.lastBatches.has(member) && !hello.isThread) this.gone--;
    if (this.lostMembers.delete(member)) this.lost--;
    peer.hello = hello;
    this.peers.set(member, peer);
    this.remember(member, this.lastBatches.get(member) ?? 0);
    send(peer.socket, { type: 'welcome', pid: process.pid });
    const pids = Array.from(this.peers.values(), (other) => other.hello?.pid ?? 0);
    this.sharedSyscode.check(hello, pids);
  }

  private release(peer: Peer, request: ReleaseRequest): void {
    if (request.version !== PROTOCOL_VERSION || request.syscode !== this.syscode) {
      peer.socket.destroy();
      return;
    }
    this.letGo(request);
    peer.socket.end(encodeFrame({ type: 'released' }));
  }

  private async answerScrape(peer: Peer, { version, syscode, form }: ScrapeRequest): Promise<void> {
    peer.isScraping = true;
    const isRefused = version !== PROTOCOL_VERSION || syscode !== this.syscode || this.scrapes >= MAX_SCRAPES;
    this.scrapes++;
    await sendScrape(peer.socket, form, isRefused ? refuseScrape : this.scrape);
    this.scrapes--;
  }

  private refusalOf({ version, syscode }: Hello): Refusal | undefined {
    if (version !== PROTOCOL_VERSION) return 'version';
    if (syscode !== this.syscode) return 'syscode';
    return this.peers.size >= MAX_MEMBERS ? 'full' : undefined;
  }

  /** Adds and acknowledges in one step: a batch whose ack was lost is sent again and recognised by its number. */
  private take(peer: Peer, member: string, { number, deltas, isLast = false }: Batch): void {
    if (this.hasLeft) return;
    if (isLast) peer.hasTakenLeave = true;
    if (number > (this.lastBatches.get(member) ?? 0)) {
      const { deltas: bounded, otherLabels } = boundDeltas(deltas, this.labels);
      if (otherLabels > 0) this.drop('labels', otherLabels);
      for (const [reason, count] of this.members.add(bounded, member)) this.drop(reason, count);
      this.remember(member, number);
    }
    send(peer.socket, { type: 'ack', number });
  }

  private bring(peer: Peer, message: LegacyMessage): void {
    if (!this.mayInherit || this.hasInherited) return;
    peer.legacy ??= new LegacyInbox();
    peer.legacy.add(message);
    const left = peer.legacy.isComplete ? peer.legacy.take() : undefined;
    if (left !== undefined) this.inherit(left);
  }

  private collected(peer: Peer, { member, pid }: Hello, { id, reading }: Collected): void {
    if (peer.asked?.id !== id) return;
    // a member that has another connection by now has left with this one
    if (reading !== undefined && this.peers.get(member) === peer) this.members.read(member, pid, reading);
    peer.asked.answered();
    delete peer.asked;
  }

  private leave(peer: Peer): void {
    const { hello } = peer;
    if (hello === undefined || this.peers.get(hello.member) !== peer) return;
    this.peers.delete(hello.member);
    peer.asked?.answered();
    if (!hello.isThread) this.countGone(peer, hello.member);
    this.members.left(hello.member);
  }

  /** One that comes back, because only its connection was lost, is neither gone nor lost. */
  private countGone({ hasTakenLeave = false }: Peer, member: string): void {
    this.gone++;
    if (hasTakenLeave) return;
    this.lost++;
    this.lostMembers.add(member);
  }

  private remember(member: string, number: number): void {
    this.lastBatches.delete(member);
    this.lastBatches.set(member, number);
    if (this.lastBatches.size <= MAX_REMEMBERED) return;
    const oldest = [...this.lastBatches.keys()].find((each) => !this.peers.has(each));
    if (oldest === undefined) return;
    this.lastBatches.delete(oldest);
    this.lostMembers.delete(oldest);
  }

  private drop(reason: DropReason, count: number): void {
    this.dropped.set(reason, (this.dropped.get(reason) ?? 0) + count);
    logDropped(reason);
  }
}

async function refuseScrape(): Promise<never> {
  throw new Error('the hub is of another version or service, or answers too many already');
}

/** Does not close the socket of a peer that has ended: what it sent before may not be read yet. */
function send(socket: Socket, message: HubMessage): void {
  if (sendNow(socket, encodeFrame(message)) === 'full') socket.destroy();
}
