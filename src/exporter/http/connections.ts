/**
 * Bounds the connections of the scrape's server and the rate of its requests, so that whoever occupies it takes little
 * from the application, and an honest scraper still has its turn.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { nowMs } from '../../runtime/clock';
import { isAnswering } from './pipelining';

/** Connections at a time. */
const MAX_CONNECTIONS = 64;
/** When all places are taken, one is taken away for a newcomer so often; newcomers in between are turned away. */
const REPLACE_EVERY_MS = 10;
/** Requests read at once after a rest: one of each connection. */
const BURST = MAX_CONNECTIONS;
/** Requests read in a second after that. A scraper sends one in several seconds. */
const REQUESTS_PER_SECOND = 200;
/** How often it is checked whether the next requests may be read, while there are some. */
const TURN_EVERY_MS = 10;

export function boundConnections(server: Server): void {
  const turns = new Turns();
  /** Oldest first. */
  const open = new Set<Socket>();
  // the last place is for a newcomer, who gets that of another one
  server.maxConnections = MAX_CONNECTIONS + 1;
  const close = () => {
    const socket = replaceable(open);
    open.delete(socket);
    socket.destroy();
    server.maxConnections = MAX_CONNECTIONS;
    setTimeout(() => {
      server.maxConnections = MAX_CONNECTIONS + 1;
    }, REPLACE_EVERY_MS).unref();
  };
  const readNext = (socket: Socket) => {
    if (turns.take()) return;
    socket.pause();
    turns.wait(socket);
  };
  server.on('connection', (socket: Socket) => {
    if (open.size >= MAX_CONNECTIONS) close();
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    readNext(socket);
  });
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    response.once('close', () => {
      if (!socket.destroyed) readNext(socket);
    });
  });
}

/** The connection to close for a newcomer: of the address with most of them, one at rest where there is one, the oldest. */
function replaceable(open: ReadonlySet<Socket>): Socket {
  const byAddress = new Map<string | undefined, Socket[]>();
  for (const socket of open) {
    const sockets = byAddress.get(socket.remoteAddress);
    if (sockets === undefined) byAddress.set(socket.remoteAddress, [socket]);
    else sockets.push(socket);
  }
  const most = [...byAddress.values()].reduce((a, b) => (b.length > a.length ? b : a));
  return most.find((socket) => !isAnswering(socket)) ?? (most[0] as Socket);
}

/** Connections in the order in which their next request is read. */
class Turns {
  private left = BURST;
  private sinceMs = nowMs();
  private readonly waiting = new Set<Socket>();

  /** @returns whether a request may be read now */
  take(): boolean {
    if (this.waiting.size > 0) return false;
    this.refill();
    if (this.left < 1) return false;
    this.left--;
    return true;
  }

  /** Resumes the socket when it is its turn. */
  wait(socket: Socket): void {
    this.waiting.add(socket);
    if (this.waiting.size === 1) this.next();
  }

  private next(): void {
    setTimeout(() => {
      this.refill();
      for (const socket of this.waiting) {
        if (this.left < 1) return this.next();
        this.waiting.delete(socket);
        if (socket.destroyed) continue;
        this.left--;
        socket.resume();
      }
    }, TURN_EVERY_MS).unref();
  }

  private refill(): void {
    const now = nowMs();
    this.left = Math.min(BURST, this.left + ((now - this.sinceMs) * REQUESTS_PER_SECOND) / 1000);
    this.sinceMs = now;
  }
}
