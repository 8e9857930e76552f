/**
 * Lets go of scrapers that do not read once nothing else keeps the process alive.
 *
 * An unref'ed socket still holds the process while the kernel has not taken what was written to it, and Node has no
 * way to take such a write back: measured, a finished application stayed for more than a minute.
 */
import { fstatSync } from 'node:fs';
import type { Socket } from 'node:net';

/** How often it is looked whether the application has ended. */
const LOOK_EVERY_MS = 250;

export class StalledScrapers {
  /** Sockets that are watched, with their listeners. */
  private readonly sockets = new Map<Socket, () => void>();
  private timer: NodeJS.Timeout | undefined;

  /** Watches a socket after a chunk of an answer was written to it, until all of it is on its way. */
  add(socket: Socket): void {
    if (socket.writableLength === 0 || this.sockets.has(socket)) return;
    const onClose = () => this.remove(socket);
    this.sockets.set(socket, onClose);
    socket.once('close', onClose);
    this.watch();
  }

  /** Apart from `add`, whose socket the timer's function would hold for as long as any is watched. */
  private watch(): void {
    this.timer ??= setInterval(() => this.look(), LOOK_EVERY_MS).unref();
  }

  private look(): void {
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
 * Whether nothing but at most so many writes keeps the process alive. Where it cannot be told the answer is no, and
 * the socket's own timeout remains.
 */
function areOnlyWrites(most: number): boolean {
  const resources = process.getActiveResourcesInfo();
  const writes = resources.filter((name) => name.endsWith('WriteWrap')).length;
  return writes <= most && resources.length - writes <= idlePipes(resources);
}

/** stdout and stderr as pipes are listed once they were used, though they keep nothing alive. */
function idlePipes(resources: readonly string[]): number {
  const pipes = resources.filter((name) => name === 'PipeWrap').length;
  // a pipe that is read looks the same: the channel to a parent, or stdin
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
