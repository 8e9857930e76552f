/** Connections whose hello the hub still waits for: few, and not for long. Each takes a file descriptor of the application. */
import type { Socket } from 'node:net';

/**
 * A peer that has not sent its hello by then is disconnected. Members send theirs at once, but one that loads its
 * application without a pause does so seconds after it has connected: a worker of Egg on a busy host after six.
 */
const HELLO_LIMIT_MS = 10_000;
const MAX_UNKNOWN_PEERS = 64;

export class UnknownPeers {
  private size = 0;

  /** @param onClosed called for each connection that is closed because it sent no hello, or because too many wait */
  constructor(private readonly onClosed: () => void) {}

  /** @returns a function to call at the hello; undefined where too many wait, and the connection is closed */
  add(socket: Socket): (() => void) | undefined {
    if (this.size >= MAX_UNKNOWN_PEERS) {
      this.close(socket);
      return undefined;
    }
    this.size++;
    let isUnknown = true;
    const limit = setTimeout(() => this.close(socket), HELLO_LIMIT_MS).unref();
    const known = () => {
      clearTimeout(limit);
      if (isUnknown) this.size--;
      isUnknown = false;
    };
    socket.on('close', known);
    return known;
  }

  private close(socket: Socket): void {
    this.onClosed();
    socket.destroy();
  }
}
