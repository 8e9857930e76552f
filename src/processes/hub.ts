/**
 * The hub's side of its members: lets them in, takes their batches once each, asks all of them at a scrape, and keeps
 * count of who is there, who has gone and what went wrong.
 */
import type { Socket } from 'node:net';
import { errorText, warn } from '../diagnostics/log';
import type { Deltas } from '../metrics/deltas';
import { DROP_REASONS, type DropReason, type StateSample } from '../metrics/totals';
import { nowMs } from '../runtime/clock';
import { endsWithin } from '../runtime/time-limit';
import { STATE_FAMILIES } from '../views';
import { type Address, MeetingPoint } from './hub-socket';
import {
  encodeFrame,
  FrameDecoder,
  type Hello,
  type HubMessage,
  memberMessage,
  PROTOCOL_VERSION,
  type Refusal,
} from './protocol';
import { sendNow } from './socket-write';

/** How long a scrape waits for members; Prometheus itself waits 10 s by default. */
const GATHER_LIMIT_MS = 500;
/** A peer that has not said by then who it is, is no member. */
const HELLO_LIMIT_MS = 5_000;
/** How often a scrape looks whether members can still come. */
const LOOK_AFTER_MS = 5_000;
const MAX_MEMBERS = 1_024;
/** Hub, present and gone, whose last batch is remembered. */
const MAX_REMEMBERED = 10_000;
/** A refused process asks again every minute; one that has not for so long has gone. */
const REFUSED_FOR_MS = 150_000;
const MAX_REFUSED_SYSCODES = 32;
const MAX_REFUSED_MEMBERS = 1_000;

interface Peer {
  readonly socket: Socket;
  hello?: Hello;
  /** The question it has not answered yet. */
  asked?: { readonly id: number; readonly answered: () => void };
}

export class Hub {
  private readonly peers = new Map<string, Peer>();
  /** Number of the last batch taken of each member, longest gone first. */
  private readonly taken = new Map<string, number>();
  private readonly dropped = new Map<DropReason, number>(DROP_REASONS.map((reason) => [reason, 0]));
  /** System code to member to the time until which it counts. */
  private readonly refused = new Map<string, Map<string, number>>();
  private meeting: MeetingPoint | undefined;
  private lookedAfterMs = 0;
  private connections = 0;
  private questions = 0;
  private gone = 0;
  private late = 0;
  private collectionSeconds = 0;

  /**
   * @param syscode of this service; members of another one are refused
   * @param add takes deltas of a member, and says how many of them it dropped
   */
  constructor(
    private readonly syscode: string,
    private readonly add: (deltas: Deltas) => ReadonlyMap<DropReason, number>,
  ) {}

  /** Begins to let members in; this process is the hub from now on. */
  open(address: Address): void {
    this.meeting = new MeetingPoint(address, (socket) => this.receive(socket));
    void this.openMeeting(this.meeting);
  }

  async close(): Promise<void> {
    await this.meeting?.close();
    for (const { socket } of this.peers.values()) socket.destroy();
  }

  /** Asks all members for what they have measured, and waits until they have handed it over, or half a second. */
  async gather(): Promise<void> {
    const begin = nowMs();
    if (this.meeting !== undefined && begin > this.lookedAfterMs + LOOK_AFTER_MS) void this.openMeeting(this.meeting);
    const answers: Promise<void>[] = [];
    let missing = 0;
    for (const peer of this.peers.values()) {
      missing++;
      // one that still owes an answer hangs: every scrape would wait for it
      if (peer.asked !== undefined) continue;
      const id = ++this.questions;
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
  }

  /** Samples of the families in {@link STATE_FAMILIES}. */
  state(): readonly StateSample[] {
    const { processes, collectionSeconds, droppedDeltas, lateDeltas, refused } = STATE_FAMILIES;
    const threads = [...this.peers.values()].filter(({ hello }) => hello?.isThread).length;
    const byState = { hub: 1, member: this.peers.size - threads, thread: threads, gone: this.gone };
    const sample = (family: string, labels: StateSample['labels'], value: number) => ({ family, labels, value });
    return [
      ...Object.entries(byState).map(([state, value]) => sample(processes, { state }, value)),
      sample(collectionSeconds, {}, this.collectionSeconds),
      ...Array.from(this.dropped, ([reason, value]) => sample(droppedDeltas, { reason }, value)),
      sample(lateDeltas, {}, this.late),
      ...Array.from(this.refused, ([syscode, members]) => sample(refused, { syscode }, stillThere(members))),
    ];
  }

  private async openMeeting(meeting: MeetingPoint): Promise<void> {
    this.lookedAfterMs = nowMs();
    try {
      await meeting.open();
    } catch (error) {
      const text = `an error inside the exporter, in opening the meeting point: ${errorText(error)}`;
      warn('CHX_INTERNAL', 'meeting', text);
    }
  }

  private receive(socket: Socket): void {
    const peer: Peer = { socket };
    const decoder = new FrameDecoder();
    this.connections++;
    socket.unref();
    const helloLimit = setTimeout(() => socket.destroy(), HELLO_LIMIT_MS).unref();
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.connections--;
      clearTimeout(helloLimit);
      this.leave(peer);
    });
    socket.on('data', (bytes) => {
      try {
        for (const value of decoder.push(bytes)) {
          // what follows a refusal in the same chunk is nobody's
          if (socket.destroyed || socket.writableEnded) return;
          const message = memberMessage(value);
          if (message.type === 'hello') {
            clearTimeout(helloLimit);
            this.welcome(peer, message);
          } else if (peer.hello === undefined) throw new Error('no hello');
          else if (message.type === 'batch') this.take(peer.socket, peer.hello.member, message.number, message.deltas);
          else this.noteAnswer(peer, message.id);
        }
      } catch {
        this.drop('malformed', 1);
        socket.destroy();
      }
    });
  }

  private welcome(peer: Peer, hello: Hello): void {
    if (peer.hello !== undefined) throw new Error('a second hello');
    const refusal = this.refusalOf(hello);
    if (refusal !== undefined) {
      if (refusal === 'syscode') this.noteRefused(hello);
      peer.socket.end(encodeFrame({ type: 'refused', reason: refusal, syscode: this.syscode, pid: process.pid }));
      return;
    }
    // a member has one connection; an older one is a leftover
    const { member } = hello;
    const former = this.peers.get(member);
    if (former !== undefined) {
      this.leave(former);
      former.socket.destroy();
    }
    if (this.taken.has(member) && !hello.isThread) this.gone--;
    peer.hello = hello;
    this.peers.set(member, peer);
    this.remember(member, this.taken.get(member) ?? 0);
    send(peer.socket, { type: 'welcome', pid: process.pid });
  }

  private refusalOf({ version, syscode }: Hello): Refusal | undefined {
    if (version !== PROTOCOL_VERSION) return 'version';
    if (syscode !== this.syscode) return 'syscode';
    return this.connections > MAX_MEMBERS ? 'full' : undefined;
  }

  /** Adding and answering are one step: a batch whose answer was lost is sent again, and known by its number. */
  private take(socket: Socket, member: string, number: number, deltas: Deltas): void {
    if (number > (this.taken.get(member) ?? 0)) {
      for (const [reason, count] of this.add(deltas)) this.drop(reason, count);
      this.remember(member, number);
    }
    send(socket, { type: 'ack', number });
  }

  private noteAnswer(peer: Peer, id: number): void {
    if (peer.asked?.id !== id) return;
    peer.asked.answered();
    delete peer.asked;
  }

  private leave(peer: Peer): void {
    const { hello } = peer;
    if (hello === undefined || this.peers.get(hello.member) !== peer) return;
    this.peers.delete(hello.member);
    peer.asked?.answered();
    if (!hello.isThread) this.gone++;
  }

  private remember(member: string, number: number): void {
    this.taken.delete(member);
    this.taken.set(member, number);
    if (this.taken.size <= MAX_REMEMBERED) return;
    const oldest = [...this.taken.keys()].find((each) => !this.peers.has(each));
    if (oldest !== undefined) this.taken.delete(oldest);
  }

  private noteRefused({ syscode, member }: Hello): void {
    const members = this.refused.get(syscode) ?? new Map<string, number>();
    if (!this.refused.has(syscode) && this.refused.size >= MAX_REFUSED_SYSCODES) return;
    this.refused.set(syscode, members);
    stillThere(members);
    if (members.size < MAX_REFUSED_MEMBERS) members.set(member, Date.now() + REFUSED_FOR_MS);
  }

  private drop(reason: DropReason, count: number): void {
    this.dropped.set(reason, (this.dropped.get(reason) ?? 0) + count);
  }
}

/** Forgets those that have not asked again. @returns how many are left */
function stillThere(members: Map<string, number>): number {
  const now = Date.now();
  for (const [member, until] of members) if (until < now) members.delete(member);
  return members.size;
}

/** One that has gone is not closed here: what it sent before may not have been read yet. */
function send(socket: Socket, message: HubMessage): void {
  if (sendNow(socket, encodeFrame(message)) === 'full') socket.destroy();
}
