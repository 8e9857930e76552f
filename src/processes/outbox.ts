/**
 * Batches on their way to the hub: numbered, sent ahead of their acks, and kept until they are acknowledged.
 *
 * What is sent waits in the kernel's buffer of the socket while the hub is stopped or busy, and arrives even if this
 * process has been killed meanwhile. What does not fit stays in the instruments, so that a process whose hub does not
 * answer holds no more than its series and {@link WINDOW_BYTES}.
 */
import type { Socket } from 'node:net';
import type { Deltas } from '../metrics/deltas';
import { TimeSlice } from '../runtime/time-slice';
import { toBatches } from './batches';
import { encodeFrame } from './protocol';
import { sendNow } from './socket-write';

/** Sent and not acknowledged, at most; Linux takes 50 to 200 KiB into a local socket, the less the shorter the batches. */
export const WINDOW_BYTES = 128 * 1024;
/**
 * A hub that acknowledges nothing for so long is left, and what it has not acknowledged is sent again to whoever is the
 * hub then. One that is stopped or blocked for less goes on as if nothing had been.
 */
export const ACK_LIMIT_MS = 30_000;

interface Batch {
  readonly number: number;
  readonly deltas: Deltas;
}

export class Outbox {
  private queue: Batch[] = [];
  private lastNumber = 0;
  /** What is being added, without what stands in the queue already. */
  private rest: Iterable<Deltas> = [];
  /** The connection to the hub, once it has accepted this member. */
  private socket: Socket | undefined;
  /** Frame lengths of the queue's first batches, which are sent. */
  private sent: number[] = [];
  private sentBytes = 0;
  private ackLimit: NodeJS.Timeout | undefined;
  /** Called at each ack, and when the connection is lost. */
  private onProgress: (() => void)[] = [];

  /** Whether batches wait, for an ack or for a connection. */
  get isEmpty(): boolean {
    return this.queue.length === 0;
  }

  /** Sends over this connection from now on, beginning with what another hub has not acknowledged. */
  attach(socket: Socket): void {
    this.socket = socket;
    this.sendQueued();
  }

  /** The connection is lost. */
  detach(): void {
    this.socket = undefined;
    this.sent = [];
    this.sentBytes = 0;
    this.endAckLimit();
    this.progress();
  }

  /** Adds deltas in time slices, one call after the other; resolves when they stand in the queue. */
  async add(taken: Deltas): Promise<void> {
    this.rest = toBatches(taken);
    const slice = new TimeSlice();
    for (const deltas of this.rest) {
      this.enqueue(deltas);
      this.sendQueued();
      if (slice.isOver()) await slice.wait();
    }
  }

  /** @param number of the batch; any other than that of the oldest one sent is ignored */
  acknowledge(number: number): void {
    const [length] = this.sent;
    if (length === undefined || this.queue[0]?.number !== number) return;
    this.queue.shift();
    this.sent.shift();
    this.sentBytes -= length;
    this.endAckLimit();
    this.sendQueued();
    if (this.sent.length > 0) this.limitAck();
    this.progress();
  }

  /** Resolves when another batch can be sent at once, or the connection is lost. */
  async room(): Promise<void> {
    while (this.socket !== undefined && (this.sent.length < this.queue.length || !this.hasRoom))
      await this.progressed();
  }

  /** Resolves when all that was added until now is acknowledged, or the connection is lost. */
  async acknowledged(): Promise<void> {
    const last = this.lastNumber;
    while (this.socket !== undefined && (this.queue[0]?.number ?? Infinity) <= last) await this.progressed();
  }

  /**
   * Takes what is not acknowledged; for a process that becomes the hub itself.
   * @param after number of the last batch that was added, though its ack has not come
   */
  takeAll(after = 0): Deltas[] {
    const deltas = this.queue.filter(({ number }) => number > after).map((batch) => batch.deltas);
    this.queue = [];
    return deltas;
  }

  /**
   * Takes leave: writes what is left synchronously, as far as there is room, and marks the last batch.
   * @param waitForRoom whether to block for that, soon after which the process ends
   */
  sendLast(socket: Socket, taken: Deltas, { waitForRoom = true } = {}): void {
    for (const deltas of this.rest) this.enqueue(deltas);
    for (const deltas of toBatches(taken)) this.enqueue(deltas);
    const left = this.queue.slice(this.sent.length);
    if (left.length === 0) left.push({ number: ++this.lastNumber, deltas: [] });
    for (const batch of left) {
      const isLast = batch === left.at(-1);
      const frame = encodeFrame({ type: 'batch', ...batch, ...(isLast && { isLast }) });
      if (sendNow(socket, frame, { waitForRoom }) !== 'whole') return;
    }
  }

  private enqueue(deltas: Deltas): void {
    this.queue.push({ number: ++this.lastNumber, deltas });
  }

  /** A frame of which a part is left in the stream shows that the kernel's buffer is full. */
  private get hasRoom(): boolean {
    return this.sent.length === 0 || (this.sentBytes < WINDOW_BYTES && this.socket?.writableLength === 0);
  }

  private sendQueued(): void {
    while (this.socket !== undefined && this.sent.length < this.queue.length && this.hasRoom) {
      const frame = encodeFrame({ type: 'batch', ...(this.queue[this.sent.length] as Batch) });
      this.sent.push(frame.length);
      this.sentBytes += frame.length;
      this.socket.write(frame);
      this.limitAck();
    }
  }

  private limitAck(): void {
    const { socket } = this;
    this.ackLimit ??= setTimeout(() => socket?.destroy(), ACK_LIMIT_MS).unref();
  }

  private endAckLimit(): void {
    clearTimeout(this.ackLimit);
    this.ackLimit = undefined;
  }

  private progressed(): Promise<void> {
    return new Promise((resolve) => {
      this.onProgress.push(resolve);
    });
  }

  private progress(): void {
    const waiting = this.onProgress;
    this.onProgress = [];
    for (const resolve of waiting) resolve();
  }
}
