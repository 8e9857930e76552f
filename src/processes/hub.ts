/**
 * The hub's side: accepts members, adds each of their batches once, and counts who is connected and what was dropped.
 * Whom it has had is for known-members.ts, asking all members at a scrape for gathering.ts, what stays when it ends for
 * hub-legacy.ts, and who comes without becoming a member for guests.ts.
 */
import type { Socket } from 'node:net';
import { errorText, warn } from '../diagnostics/log';
import type { Deltas } from '../metrics/deltas';
import type { StateSample } from '../metrics/state-samples';
import { DROP_REASONS, type DropReason } from '../metrics/totals';
import { nowMs } from '../runtime/clock';
import { pause } from '../runtime/time-limit';
import { VERSION } from '../version';
import { STATE_FAMILIES } from '../views';
import { Gathering } from './gathering';
import { Guests } from './guests';
import { HubLegacy, type LegacyTotals } from './hub-legacy';
import { type Address, HubSocket } from './hub-socket';
import { KnownMembers } from './known-members';
import type { Received } from './legacy-messages';
import { MessageReader } from './message-reader';
import { type Peer, send } from './peer';
import { logDropped, logPaused } from './peer-messages';
import { onProcessExit } from './process-exit';
import {
  encodeFrame,
  type Hello,
  MAX_FRAME_BYTES,
  type MemberMessage,
  memberMessage,
  PROTOCOL_VERSION,
  type Refusal,
  type ReleaseRequest,
} from './protocol';
import { boundDeltas, type FamilyLabels } from './received-deltas';
import { RefusedServices } from './refused-services';
import type { Scrape } from './scrape-exchange';
import { SharedSyscode } from './shared-syscode';
import { UnknownPeers } from './unknown-peers';

const MAX_HELLO_BYTES = 1_024;
/** How often a scrape checks that the socket is still there. */
const SOCKET_CHECK_MS = 5_000;
/**
 * Members stay for so long when the port is left to a server of one of them: they would try to bind it themselves before
 * that server has it.
 */
const STAY_MS = 500;
const MAX_MEMBERS = 512;

/** Told what members send. */
export interface MemberListener extends LegacyTotals {
  /** Adds deltas. @returns how many series were dropped, by reason */
  add(deltas: Deltas, member: string): Iterable<readonly [DropReason, number]>;
  /** What a process says of itself. */
  read(member: string, pid: number, reading: Deltas): void;
  left(member: string): void;
}

type Batch = Extract<MemberMessage, { readonly type: 'batch' }>;
type Collected = Extract<MemberMessage, { readonly type: 'collected' }>;

export class Hub {
  private readonly peers = new Map<string, Peer>();
  private readonly known = new KnownMembers(this.peers);
  private readonly gathering = new Gathering();
  private readonly guests: Guests;
  private readonly legacy: HubLegacy;
  private readonly dropped = new Map<DropReason, number>(DROP_REASONS.map((reason) => [reason, 0]));
  private readonly refused = new RefusedServices();
  private readonly sharedSyscode = new SharedSyscode();
  private socket: HubSocket | undefined;
  private socketCheckedMs = 0;
  private readonly unknownPeers = new UnknownPeers(() => this.drop('connections', 1));
  private endExitListener: () => void = () => undefined;
  private readPauses = 0;

  /**
   * @param syscode of this service; members of another one are refused
   * @param labels of this process's families; a member's have to be the same
   * @param scrape of the service, for members whose application answers it on its own port
   * @param members told what they send
   */
  constructor(
    private readonly syscode: string,
    private readonly labels: FamilyLabels,
    scrape: Scrape,
    private readonly members: MemberListener,
  ) {
    this.guests = new Guests(syscode, scrape);
    this.legacy = new HubLegacy(labels, members, this.peers, this.known);
  }

  /**
   * Begins to accept members; this process is the hub from now on.
   * @param mayInherit whether the first scrape waits for what members may bring
   */
  open(address: Address, { mayInherit = false } = {}): void {
    this.socket = new HubSocket(address, (socket) => this.receive(socket));
    void this.openSocket(this.socket);
    this.endExitListener = onProcessExit(() => this.bequeath());
    if (mayInherit) this.legacy.expect();
  }

  /** Settles when another hub's totals are here, or are not waited for any more. */
  get begun(): Promise<unknown> {
    return this.legacy.begun;
  }

  /** Goes on where another hub has ended; before this one is scraped, and before it opens. */
  inherit(left: Received): void {
    this.legacy.inherit(left);
  }

  /** Leaves the totals to the members, for a process that ends by itself; what they send from here on is for the next hub. */
  bequeath(): void {
    this.legacy.bequeath();
  }

  /** @param letGo called when a server of another process or thread wants the port, which is free when it returns */
  onRelease(letGo: (request: ReleaseRequest) => void): void {
    this.guests.onRelease(letGo);
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
    return this.gathering.ask(this.peers.values(), begin);
  }

  get hasMembers(): boolean {
    return this.peers.size > 0;
  }

  /** Samples of the families in {@link STATE_FAMILIES}. */
  state(): readonly StateSample[] {
    const { processes, collectionSeconds, droppedDeltas, lateDeltas, readPauses, refused } = STATE_FAMILIES;
    const threads = [...this.peers.values()].filter(({ hello }) => hello?.isThread).length;
    const { gone, lost } = this.known;
    const byState = { hub: 1, member: this.peers.size - threads, thread: threads, gone, lost };
    const sample = (family: string, labels: StateSample['labels'], value: number) => ({ family, labels, value });
    return [
      ...Object.entries(byState).map(([state, value]) => sample(processes, { state }, value)),
      sample(collectionSeconds, {}, this.gathering.seconds),
      ...Array.from(this.dropped, ([reason, value]) => sample(droppedDeltas, { reason }, value)),
      sample(lateDeltas, {}, this.gathering.late),
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
        } else if (message.type === 'scrape' || message.type === 'release') {
          if (peer.hello !== undefined || peer.isScraping) throw new Error('a request after a hello');
          helloArrived();
          this.guests.receive(peer, message);
        } else if (peer.hello === undefined) throw new Error('no hello');
        else if (message.type === 'batch') {
          peer.firstBatch ??= message.number;
          this.take(peer, peer.hello.member, message);
        } else if (message.type === 'legacy' || message.type === 'totals') this.legacy.bring(peer, message);
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
    this.known.comes(member);
    peer.hello = hello;
    this.peers.set(member, peer);
    this.known.remember(member);
    send(peer, { type: 'welcome', pid: process.pid });
    const pids = Array.from(this.peers.values(), (other) => other.hello?.pid ?? 0);
    this.sharedSyscode.check(hello, pids);
  }

  private refusalOf({ version, syscode }: Hello): Refusal | undefined {
    if (version !== PROTOCOL_VERSION) return 'version';
    if (syscode !== this.syscode) return 'syscode';
    return this.peers.size >= MAX_MEMBERS ? 'full' : undefined;
  }

  /** Adds and acknowledges in one step: a batch whose ack was lost is sent again and recognised by its number. */
  private take(peer: Peer, member: string, { number, deltas, isLast = false }: Batch): void {
    if (this.legacy.hasLeft) return;
    if (isLast) peer.hasTakenLeave = true;
    if (number > this.known.lastBatch(member)) {
      const { deltas: bounded, otherLabels } = boundDeltas(deltas, this.labels);
      if (otherLabels > 0) this.drop('labels', otherLabels);
      for (const [reason, count] of this.members.add(bounded, member)) this.drop(reason, count);
      this.known.remember(member, number);
    }
    send(peer, { type: 'ack', number });
  }

  private collected(peer: Peer, { member, pid }: Hello, { id, reading }: Collected): void {
    if (!this.gathering.isAnswer(peer, id)) return;
    // a member that has another connection by now has left with this one
    if (reading !== undefined && this.peers.get(member) === peer) this.members.read(member, pid, reading);
    this.gathering.answered(peer);
  }

  private leave(peer: Peer): void {
    const { hello } = peer;
    if (hello === undefined || this.peers.get(hello.member) !== peer) return;
    this.peers.delete(hello.member);
    this.gathering.answered(peer);
    if (!hello.isThread) this.known.leaves(hello.member, peer.hasTakenLeave ?? false);
    this.members.left(hello.member);
  }

  private drop(reason: DropReason, count: number): void {
    this.dropped.set(reason, (this.dropped.get(reason) ?? 0) + count);
    logDropped(reason);
  }
}
