/**
 * Bounds the connections of the scrape's server and the rate of its requests, so that whoever occupies it takes little
 * from the application, and an honest scraper still has its turn.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Allowance } from './allowance';
import { isAnswering } from './pipelining';
import { Turns } from './turns';

/** Connections at a time. */
const MAX_CONNECTIONS = 64;
/** When all places are taken, one is taken away for a newcomer so often; newcomers in between are turned away. */
const REPLACE_EVERY_MS = 10;
/** Requests read at once after a rest: one of each connection. */
const BURST = MAX_CONNECTIONS;
/** Requests read in a second after that. A scraper sends one in several seconds. */
const REQUESTS_PER_SECOND = 200;

/** Connections that are not served yet, because their handshake is not done; they count as the others do. */
export interface Arriving {
  /** One more; it may be closed for a newcomer. */
  add(socket: Socket): void;
  /** It is served from now on, as another socket. */
  remove(socket: Socket): void;
}

export function boundConnections(server: Server): Arriving {
  const turns = new Turns(new Allowance(BURST, REQUESTS_PER_SECOND));
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
    turns.wait(socket, () => socket.resume());
  };
  const add = (socket: Socket) => {
    if (open.size >= MAX_CONNECTIONS) close();
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  };
  server.on('connection', (socket: Socket) => {
    add(socket);
    readNext(socket);
  });
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    response.once('close', () => {
      if (!socket.destroyed) readNext(socket);
    });
  });
  return { add, remove: (socket) => open.delete(socket) };
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
