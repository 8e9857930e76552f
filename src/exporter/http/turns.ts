/** Connections in the order in which something is done for them, at a bounded rate. */
import type { Socket } from 'node:net';
import type { Allowance } from './allowance';

/** How often it is checked whose turn it is, while some wait. */
const TURN_EVERY_MS = 10;

export class Turns {
  private readonly waiting = new Map<Socket, () => void>();
  private isWaiting = false;

  constructor(private readonly allowance: Allowance) {}

  /** @returns whether it may be done now */
  take(): boolean {
    return this.waiting.size === 0 && this.allowance.take();
  }

  /** Calls back when it is the socket's turn, unless it is closed by then. */
  wait(socket: Socket, go: () => void): void {
    this.waiting.set(socket, go);
    if (!this.isWaiting) this.next();
  }

  private next(): void {
    this.isWaiting = true;
    setTimeout(() => {
      for (const [socket, go] of this.waiting) {
        if (!socket.destroyed && !this.allowance.take()) return this.next();
        this.waiting.delete(socket);
        if (!socket.destroyed) go();
      }
      this.isWaiting = false;
    }, TURN_EVERY_MS).unref();
  }
}
