/**
 * Bounds how much a peer can make this process read and parse. Beyond it the socket is paused, so that the kernel's
 * buffer fills and the peer has to wait: an honest one is slowed down and loses nothing.
 */
import type { Socket } from 'node:net';
import { nowMs } from '../runtime/clock';

/** Some 25,000 series a second; a process with all its families full has fewer. */
const BYTES_PER_SECOND = 8 * 1024 * 1024;
const BURST_BYTES = 2 * BYTES_PER_SECOND;
/** What a message costs beside its bytes, so that 1,000 a second are read of the shortest ones. */
const MESSAGE_BYTES = 8 * 1024;

export class ReadLimit {
  private leftBytes = BURST_BYTES;
  private sinceMs = nowMs();

  /** @param onPaused called each time that the socket is paused */
  constructor(
    private readonly socket: Socket,
    private readonly onPaused: () => void = () => undefined,
  ) {}

  /** Call with what was read. Pauses the socket while more was read than is allowed. */
  spend(bytes: number, messages: number): void {
    const now = nowMs();
    const earned = ((now - this.sinceMs) / 1000) * BYTES_PER_SECOND;
    this.sinceMs = now;
    this.leftBytes = Math.min(BURST_BYTES, this.leftBytes + earned) - bytes - messages * MESSAGE_BYTES;
    if (this.leftBytes >= 0 || this.socket.isPaused()) return;
    this.socket.pause();
    this.onPaused();
    setTimeout(() => this.socket.resume(), (-this.leftBytes / BYTES_PER_SECOND) * 1000).unref();
  }
}
