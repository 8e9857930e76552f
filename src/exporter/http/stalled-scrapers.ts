/**
 * Disconnects scrapers that do not read, once nothing else keeps the process alive.
 *
 * An unref'ed socket still keeps the process alive while a write is pending, and Node cannot cancel a pending write:
 * measured, a finished application stayed for more than a minute.
 */
import { fstatSync } from 'node:fs';
import type { Socket } from 'node:net';

/** How often it is checked whether the application has ended. */
const CHECK_EVERY_MS = 250;

export class StalledScrapers {
  /** Watched sockets, with their close listeners. */
  private readonly sockets = new Map<Socket, () => void>();
  private timer: NodeJS.Timeout | undefined;

  /** Watches a socket from a chunk of an answer on, until all of its bytes have reached the kernel. */
  add(socket: Socket): void {
    if (socket.writableLength === 0 || this.sockets.has(socket)) return;
    const onClose = () => this.remove(socket);
    this.sockets.set(socket, onClose);
    socket.once('close', onClose);
    this.watch();
  }

  /** A method of its own: inside `add` the timer's closure would hold that socket. */
  private watch(): void {
    this.timer ??= setInterval(() => this.check(), CHECK_EVERY_MS).unref();
  }

  private check(): void {
    for (const socket of this.sockets.keys()) if (socket.writableLength === 0) this.remove(socket);
    if (this.sockets.size === 0 || !areOnlyWrites(this.sockets.size)) return;
    for (const socket of this.sockets.keys()) socket.destroy();
  }

  private remove(socket: Socket): void {
    socket.off('close', this.sockets.get(socket) as () => void);
    this.sockets.delete(socket);
    if (this.sockets.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}

/**
 * Whether only pending writes, `most` of them at most, keep the process alive. Where that is unknown it returns false,
 * and the socket's own timeout ends the connection.
 */
function areOnlyWrites(most: number): boolean {
  const resources = process.getActiveResourcesInfo();
  const writes = resources.filter((name) => name.endsWith('WriteWrap')).length;
  return writes <= most && resources.length - writes <= idlePipes(resources);
}

/** stdout and stderr as pipes are listed once they were used, although they do not keep the process alive. */
function idlePipes(resources: readonly string[]): number {
  const pipes = resources.filter((name) => name === 'PipeWrap').length;
  // a pipe that is read looks the same: the IPC channel, or stdin
  return process.channel === undefined && !isPipe(0) ? Math.min(pipes, [1, 2].filter(isPipe).length) : 0;
}

function isPipe(fd: number): boolean {
  try {
    const stat = fstatSync(fd);
    return stat.isFIFO() || stat.isSocket();
  } catch {
    return false; // closed
  }
}
