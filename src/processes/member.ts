/**
 * The member's side: sends what was measured in numbered batches and keeps each until the hub has acknowledged it.
 *
 * One batch is sent at a time. What is measured meanwhile stays in the instruments, so that a process without a hub
 * holds no more than its series.
 */
import { randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { isMainThread } from 'node:worker_threads';
import { warn } from '../diagnostics/log';
import type { Deltas } from '../metrics/deltas';
import type { Collection, DeltaSource } from '../metrics/totals';
import { nowMs } from '../runtime/clock';
import { endsWithin, pause } from '../runtime/time-limit';
import { toBatches } from './batches';
import { ownProgram } from './program';
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
import { ReadLimit } from './read-limit';
import { sendNow } from './socket-write';

/** Longest time that a measurement waits here while a hub answers. */
const HAND_OVER_MS = 1_000;

/** A hub that accepts or refuses does so at once; one whose event loop is blocked is asked again later. */
export const WELCOME_LIMIT_MS = 2_000;
/** A hub that has not acknowledged a batch by then is left; the batch is sent again to whoever is the hub then. */
const ACK_LIMIT_MS = 10_000;
/** Shortest time between two answers to collect. */
const COLLECT_PAUSE_MS = 20;
/** The hub's messages are short. */
const MAX_HUB_FRAME_BYTES = 1_024;

/** How an attempt to join ended: accepted or refused by a hub, nothing listens, or what listens does not answer. */
export type Joined = 'member' | 'no hub' | 'silent' | Refused;

interface Batch {
  readonly number: number;
  readonly deltas: Deltas;
}

export class Member {
  private readonly hello: Omit<Hello, 'program'>;
  private queue: Batch[] = [];
  private batches = 0;
  private socket: Socket | undefined;
  private isWelcome = false;
  /** Called when the batch sent is acknowledged, or the connection is lost. */
  private onAcknowledged: (() => void) | undefined;
  /** Settles when the last hand-over has ended. */
  private handedOver: Promise<void> = Promise.resolve();
  private hasMeasured = false;
  private timer: NodeJS.Timeout | undefined;
  /** The last collect message, while it is not answered. */
  private collectId: number | undefined;
  private collectedMs = 0;
  private readonly onExit = () => this.handOverNow();

  /**
   * @param source of what this process has measured
   * @param onLost called when the connection to a hub that had accepted this member is lost
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
      parent: process.ppid,
    };
  }

  /** Tries to join the hub that listens at a path; never rejects. */
  connect(path: string): Promise<Joined> {
    return new Promise((resolve) => {
      const socket = connect({ path });
      const decoder = new FrameDecoder(MAX_HUB_FRAME_BYTES);
      const readLimit = new ReadLimit(socket);
      let joined: Joined = 'no hub';
      const welcomeLimit = setTimeout(() => {
        joined = 'silent';
        socket.destroy();
      }, WELCOME_LIMIT_MS).unref();
      socket.unref();
      this.socket = socket;
      socket.on('connect', () => {
        const program = ownProgram();
        this.send(program === undefined ? this.hello : { ...this.hello, program });
        // from here on a process that ends can still hand over
        process.on('exit', this.onExit);
      });
      socket.on('error', () => undefined);
      socket.on('close', () => {
        clearTimeout(welcomeLimit);
        const wasWelcome = this.isWelcome;
        if (this.socket === socket) this.detach();
        resolve(joined);
        if (wasWelcome) this.onLost();
      });
      socket.on('data', (bytes) => {
        let messages = 0;
        try {
          for (const value of decoder.push(bytes)) {
            const message = hubMessage(value);
            messages++;
            if (message.type === 'refused') {
              joined = message;
              socket.destroy();
              return;
            }
            if (message.type === 'welcome') {
              clearTimeout(welcomeLimit);
              joined = 'member';
              resolve(joined);
            }
            this.receive(message);
          }
          readLimit.spend(bytes.length, messages);
        } catch {
          socket.destroy();
        }
      });
    });
  }

  /** Call at each measurement; the first one after a hand-over schedules the next. */
  measured(): void {
    if (this.hasMeasured) return;
    this.hasMeasured = true;
    if (this.isWelcome) this.schedule();
  }

  /** Hands over all that was measured until now; resolves when it is acknowledged, or the connection is lost. */
  handOver(): Promise<void> {
    this.handedOver = this.handedOver.then(() => this.handOverOnce()).catch(() => undefined);
    return this.handedOver;
  }

  /** Takes the batches that were not acknowledged; for a process that becomes the hub itself. */
  async takeQueue(): Promise<Deltas[]> {
    await this.handedOver;
    const deltas = this.queue.map((batch) => batch.deltas);
    this.queue = [];
    return deltas;
  }

  /** Leaves the hub, without a call of onLost. */
  close(): void {
    const { socket } = this;
    this.detach();
    socket?.destroy();
  }

  private receive(message: Exclude<HubMessage, Refused>): void {
    if (message.type === 'welcome') {
      this.isWelcome = true;
      if (this.hasMeasured || this.queue.length > 0) void this.handOver();
    } else if (message.type === 'ack') {
      if (this.queue[0]?.number !== message.number) return;
      this.queue.shift();
      this.onAcknowledged?.();
    } else void this.collect(message.id);
  }

  /** A hub asks again only after an answer, so that of several questions the last one alone is answered. */
  private async collect(id: number): Promise<void> {
    const isUnanswered = this.collectId !== undefined;
    this.collectId = id;
    if (isUnanswered) return;
    const { socket } = this;
    const pauseMs = this.collectedMs + COLLECT_PAUSE_MS - nowMs();
    if (pauseMs > 0) await pause(pauseMs);
    await this.handOver();
    if (this.socket !== socket || this.collectId === undefined) return;
    this.collectedMs = nowMs();
    this.send({ type: 'collected', id: this.collectId });
    this.collectId = undefined;
  }

  private schedule(): void {
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
    warnOfOwnMetrics(scopeMetrics);
    while (this.isWelcome) {
      const [batch] = this.queue;
      if (batch === undefined) break;
      const acknowledged = new Promise<void>((resolve) => {
        this.onAcknowledged = resolve;
      });
      this.send({ type: 'batch', ...batch });
      const isAnswered = await endsWithin(ACK_LIMIT_MS, acknowledged);
      this.onAcknowledged = undefined;
      if (!isAnswered) {
        this.socket?.destroy();
        return;
      }
    }
  }

  /** The process ends: only synchronous writes reach the hub, and no answer arrives any more. */
  private handOverNow(): void {
    const { socket } = this;
    if (socket === undefined) return;
    const isFirstSent = this.onAcknowledged !== undefined;
    this.enqueue(this.source.takeDeltas());
    for (const batch of isFirstSent ? this.queue.slice(1) : this.queue) {
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
    this.collectId = undefined;
    clearTimeout(this.timer);
    this.timer = undefined;
    process.off('exit', this.onExit);
    this.onAcknowledged?.();
  }
}

/**
 * A hub cannot know whether values of an application's own instruments may be added up, so they are not handed over.
 */
function warnOfOwnMetrics(scopeMetrics: Collection['scopeMetrics']): void {
  const measured = scopeMetrics.find(({ metrics }) => metrics.length > 0);
  if (measured === undefined) return;
  const text = `metrics of the application are missing, of meter ${measured.scope.name}: this process is a member, and only the hub shows its own`;
  warn('CHX_OWN_METRICS_FAILED', 'member', text);
}
