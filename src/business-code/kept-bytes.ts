/**
 * The memory that bodies under way may take in this process, all together. What a reader keeps of its body it takes from
 * here first, and gives back when the body ends, is discarded or is collected as garbage.
 */

import { reportUnread } from './unread-bodies';

/** Bytes that all bodies under way may keep: of the largest that are read by default, 512 at a time. */
export const MAX_KEPT_BYTES = 32 * 1024 * 1024;

const NO_BYTES = new Uint8Array(0);
/** Where nothing is kept yet, room for so many bytes at least. */
const FIRST_BYTES = 256;
/** Fewer bytes are copied one by one: quicker than a view of them. */
const SHORT_BYTES = 32;

let keptBytes = 0;

/** Bytes kept at present, of all bodies under way. */
export function totalKeptBytes(): number {
  return keptBytes;
}

/** Bytes taken by one share. */
interface Taken {
  bytes: number;
}

/** A reader may be dropped without an end, where a connection breaks in a way that its source does not see. */
const dropped = new FinalizationRegistry<Taken>(giveBack);

function giveBack(taken: Taken): void {
  keptBytes -= taken.bytes;
  taken.bytes = 0;
}

/** What one body takes of the memory for all. */
export class MemoryShare {
  private taken: Taken | undefined;

  /** @returns false where there is not so much left: the body is then to be given up, and has been counted as unread */
  take(bytes: number): boolean {
    if (keptBytes + bytes > MAX_KEPT_BYTES) {
      reportUnread('budget');
      return false;
    }
    if (this.taken === undefined) {
      this.taken = { bytes: 0 };
      dropped.register(this, this.taken, this);
    }
    this.taken.bytes += bytes;
    keptBytes += bytes;
    return true;
  }

  /** Gives back all of it. */
  release(): void {
    if (this.taken === undefined) return;
    dropped.unregister(this);
    giveBack(this.taken);
    this.taken = undefined;
  }
}

/** The first bytes of one body, copied into one buffer: memory in proportion to them, in however many chunks they came. */
export class KeptBytes {
  private buffer: Uint8Array = NO_BYTES;
  private length = 0;
  private readonly share = new MemoryShare();
  private hasBudget = true;

  /** @param limitBytes the most that is kept */
  constructor(private readonly limitBytes: number) {}

  /** Whether there was no memory for it: nothing is kept any more, and the body was counted as unread. */
  get isRefused(): boolean {
    return !this.hasBudget;
  }

  /**
   * Keeps a copy, as the application may use its buffer again.
   * @param length how many of the bytes count
   * @returns whether all of them are kept
   */
  push(bytes: Uint8Array, length = bytes.length): boolean {
    if (length < SHORT_BYTES && this.length + length <= this.buffer.length) {
      this.copyShort(bytes, length);
      return true;
    }
    const taken = Math.min(length, this.limitBytes - this.length);
    if (!this.hasRoom(this.length + taken)) return false;
    if (taken < SHORT_BYTES) {
      this.copyShort(bytes, taken);
    } else {
      this.buffer.set(taken === bytes.length ? bytes : bytes.subarray(0, taken), this.length);
      this.length += taken;
    }
    return taken === length;
  }

  /** What has been kept, in place; good until {@link KeptBytes.release}. */
  bytes(): Buffer {
    return Buffer.from(this.buffer.buffer, 0, this.length);
  }

  /** Gives the memory back. */
  release(): void {
    this.buffer = NO_BYTES;
    this.length = 0;
    this.share.release();
  }

  private copyShort(bytes: Uint8Array, length: number): void {
    const { buffer } = this;
    let at = this.length;
    for (let i = 0; i < length; i++) buffer[at++] = bytes[i] as number;
    this.length = at;
  }

  private hasRoom(length: number): boolean {
    if (!this.hasBudget) return false;
    if (length <= this.buffer.length) return true;
    // twice as much, so that many short chunks cost time in proportion
    const capacity = Math.min(Math.max(length, 2 * this.buffer.length, FIRST_BYTES), this.limitBytes);
    if (!this.share.take(capacity - this.buffer.length)) {
      this.hasBudget = false;
      this.release();
      return false;
    }
    const larger = new Uint8Array(capacity);
    larger.set(this.buffer.subarray(0, this.length));
    this.buffer = larger;
    return true;
  }
}
