/**
 * A member's side: keeps what was measured in numbered batches until the hub has acknowledged them.
 *
 * One batch is under way at a time. What is measured meanwhile stays with the reader, so that a process without a hub
 * holds no more than its series.
 */
import { randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { isMainThread } from 'node:worker_threads';
import { warn } from '../diagnostics/log';
import type { Deltas } from '../metrics/deltas';
import type { Collection, DeltaSource } from '../metrics/totals';
import { toBatches } from './batches';
import {
  encodeFrame,
  FrameDecoder,
  type Hello,
  type HubMessage,
  hubMessage,
  type MemberMessage,
  PROTOCOL_VERSION,
  type Refused,
} from './protocol';
import { sendNow } from './socket-write';

/** Longest time that a measurement stays here, while there is a hub that answers. */
const HAND_OVER_MS = 1_000;

/** How an attempt to join ended: a hub let us in, refused us, or there is none. */
export type Joined = 'member' | 'no hub' | Refused;

interface Batch {
  readonly number: number;
  readonly deltas: Deltas;
}

export class Member {
  private readonly hello: Hello;
  private queue: Batch[] = [];
  private batches = 0;
  private socket: Socket | undefined;
  private isWelcome = false;
  /** Settles what waits for an answer: acknowledged, or the connection is lost. */
  private onAnswer: (() => void) | undefined;
  private handing: Promise<void> = Promise.resolve();
  private hasMeasured = false;
  private timer: NodeJS.Timeout | undefined;
  private readonly onExit = () => this.handOverNow();

  /**
   * @param onLost called when a hub that had let us in has gone
   */
  constructor(
    syscode: string,
    private readonly source: DeltaSource,
    private readonly onLost: () => void,
  ) {
    this.hello = {
      type: 'hello',
      version: PROTOCOL_VERSION,
      syscode,
      member: randomUUID(),
      pid: process.pid,
      isThread: !isMainThread,
    };
  }

  /** Tries to join the hub behind a path; never rejects. */
  connect(path: string): Promise<Joined> {
    return new Promise((resolve) => {
      const socket = connect({ path });
      const decoder = new FrameDecoder();
      let joined: Joined = 'no hub';
      socket.unref();
      this.socket = socket;
      socket.on('connect', () => {
        this.send(this.hello);
        // from here on the end of the process may still hand over
        process.on('exit', this.onExit);
      });
      socket.on('error', () => undefined);
      socket.on('close', () => {
        const wasWelcome = this.isWelcome;
        if (this.socket === socket) this.detach();
        resolve(joined);
        if (wasWelcome) this.onLost();
      });
      socket.on('data', (bytes) => {
        try {
          for (const value of decoder.push(bytes)) {
            const message = hubMessage(value);
            if (message.type === 'refused') {
              joined = message;
              socket.destroy();
              return;
            }
            if (message.type === 'welcome') {
              joined = 'member';
              resolve(joined);
            }
            this.answer(message);
          }
        } catch {
          socket.destroy();
        }
      });
    });
  }

  /** To be called at each measurement; the first after a hand-over arms the next one. */
  measured(): void {
    if (this.hasMeasured) return;
    this.hasMeasured = true;
    if (this.isWelcome) this.arm();
  }

  /** Hands over all that was measured until now. @returns when it is acknowledged, or the hub has gone */
  handOver(): Promise<void> {
    this.handing = this.handing.then(() => this.handOverOnce()).catch(() => undefined);
    return this.handing;
  }

  /** @returns what was not acknowledged, which is the caller's from now on; for one that has no hub */
  async takeQueue(): Promise<Deltas[]> {
    await this.handing;
    const deltas = this.queue.map((batch) => batch.deltas);
    this.queue = [];
    return deltas;
  }

  /** Leaves the hub without its being {@link onLost}. */
  close(): void {
    const { socket } = this;
    this.detach();
    socket?.destroy();
  }

  private answer(message: Exclude<HubMessage, Refused>): void {
    if (message.type === 'welcome') {
      this.isWelcome = true;
      if (this.hasMeasured || this.queue.length > 0) void this.handOver();
    } else if (message.type === 'ack') {
      if (this.queue[0]?.number !== message.number) return;
      this.queue.shift();
      this.onAnswer?.();
    } else {
      const { socket } = this;
      void this.handOver().then(() => {
        if (this.socket === socket) this.send({ type: 'collected', id: message.id });
      });
    }
  }

  private arm(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.handOver();
    }, HAND_OVER_MS).unref();
  }

  private async handOverOnce(): Promise<void> {
    if (!this.isWelcome) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.hasMeasured = false;
    const { deltas, scopeMetrics } = await this.source.collect();
    this.enqueue(deltas);
    sayNotHandedOver(scopeMetrics);
    while (this.isWelcome) {
      const [batch] = this.queue;
      if (batch === undefined) break;
      const answered = new Promise<void>((resolve) => {
        this.onAnswer = resolve;
      });
      this.send({ type: 'batch', ...batch });
      await answered;
      this.onAnswer = undefined;
    }
  }

  /** The process ends: nothing asynchronous happens any more, and nobody waits for an answer. */
  private handOverNow(): void {
    const { socket } = this;
    if (socket === undefined) return;
    const isUnderWay = this.onAnswer !== undefined;
    this.enqueue(this.source.takeDeltas());
    for (const batch of isUnderWay ? this.queue.slice(1) : this.queue) {
      if (sendNow(socket, encodeFrame({ type: 'batch', ...batch }), { waitForRoom: true }) !== 'whole') return;
    }
  }

  private enqueue(taken: Deltas): void {
    for (const deltas of toBatches(taken)) this.queue.push({ number: ++this.batches, deltas });
  }

  private send(message: MemberMessage): void {
    this.socket?.write(encodeFrame(message));
  }

  private detach(): void {
    this.socket = undefined;
    this.isWelcome = false;
    clearTimeout(this.timer);
    this.timer = undefined;
    process.off('exit', this.onExit);
    this.onAnswer?.();
  }
}

/** What an application's own instruments mean, and whether they may be added, a hub cannot know. */
function sayNotHandedOver(scopeMetrics: Collection['scopeMetrics']): void {
  const measured = scopeMetrics.find(({ metrics }) => metrics.length > 0);
  if (measured === undefined) return;
  const text = `metrics of the application are missing, of meter ${measured.scope.name}: this process is a member, and only the hub shows its own`;
  warn('CHX_OWN_METRICS_FAILED', 'member', text);
}
