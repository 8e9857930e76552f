/**
 * The hub's side: accepts members, adds each of their batches once, asks all of them at a scrape, and counts members
 * that are connected, members that have left and what was dropped.
 */
import type { Socket } from 'node:net';
import { errorText, warn } from '../diagnostics/log';
import type { Deltas } from '../metrics/deltas';
import { DROP_REASONS, type DropReason, type StateSample } from '../metrics/totals';
import { nowMs } from '../runtime/clock';
import { endsWithin } from '../runtime/time-limit';
import { VERSION } from '../version';
import { STATE_FAMILIES } from '../views';
import { type Address, HubSocket } from './hub-socket';
import { MessageReader } from './message-reader';
import { logDropped, logPaused } from './peer-messages';
import {
  encodeFrame,
  type Hello,
  type HubMessage,
  MAX_FRAME_BYTES,
  type MemberMessage,
  memberMessage,
  PROTOCOL_VERSION,
  type Refusal,
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
const MAX_MEMBERS = 512;
/** Scrapes that other processes are sent at a time; each has one at most. */
const MAX_SCRAPES = 64;
/** Members, connected and left, whose last batch number is remembered. */
const MAX_REMEMBERED = 10_000;

/** Told what members send. */
export interface MemberListener {
  /** Adds deltas. @returns how many series were dropped, by reason */
  add(deltas: Deltas, member: string): Iterable<readonly [DropReason, number]>;
  /** What a process says of itself. */
  read(member: string, pid: number, reading: Deltas): void;
  left(member: string): void;
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
  private collects = 0;
  private gone = 0;
  /** Of those gone. */
  private lost = 0;
  private late = 0;
  private readPauses = 0;
  private collectionSeconds = 0;
  private scrapes = 0;

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

  /** Begins to accept members; this process is the hub from now on. */
  open(address: Address): void {
    this.socket = new HubSocket(address, (socket) => this.receive(socket));
    void this.openSocket(this.socket);
  }

  async close(): Promise<void> {
    await this.socket?.close();
    for (const { socket } of this.peers.values()) socket.destroy();
  }

  /**
   * Asks all members for what they have measured, and waits for their answers, half a second at most.
   * @returns how many have not answered
   */
  async gather(): Promise<number> {
    const begin = nowMs();
    if (this.socket !== undefined && begin > this.socketCheckedMs + SOCKET_CHECK_MS) void this.openSocket(this.socket);
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
        } else if (peer.hello === undefined) throw new Error('no hello');
        else if (message.type === 'batch') this.take(peer, peer.hello.member, message);
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
    if (isLast) peer.hasTakenLeave = true;
    if (number > (this.lastBatches.get(member) ?? 0)) {
      const { deltas: bounded, otherLabels } = boundDeltas(deltas, this.labels);
      if (otherLabels > 0) this.drop('labels', otherLabels);
      for (const [reason, count] of this.members.add(bounded, member)) this.drop(reason, count);
      this.remember(member, number);
    }
    send(peer.socket, { type: 'ack', number });
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
