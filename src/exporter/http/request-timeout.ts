/**
 * Closes connections whose next request head does not arrive in time.
 *
 * Node has such a limit, but checks it at an interval as long as a server listens, also without any connection:
 * measured, that was the only timer that woke a process at rest.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** The longest delay of a timer, 24 days. */
const NEVER_MS = 2 ** 31 - 1;

/** Options for createServer() that switch Node's own check off. */
export const WITHOUT_CHECK = {
  connectionsCheckingInterval: NEVER_MS,
  requestTimeout: 0,
  headersTimeout: 0,
  keepAliveTimeout: 0,
} as const;

/**
 * @param limitMs from the connection until the head of a request is complete
 * @param nextLimitMs the same from the end of an answer, of whoever sent the request
 */
export function closeOnRequestTimeout(
  server: Server,
  limitMs: number,
  nextLimitMs: (answered: IncomingMessage) => number,
): void {
  const limits = new WeakMap<Socket, NodeJS.Timeout>();
  const begin = (socket: Socket, limit: number) => {
    if (socket.destroyed) return;
    limits.set(socket, setTimeout(() => socket.destroy(), limit).unref());
    // Node's own limit of idle sockets is not to come first
    if (server.timeout > 0) socket.setTimeout(Math.max(limit, server.timeout));
  };
  const end = (socket: Socket) => clearTimeout(limits.get(socket));
  server.on('connection', (socket: Socket) => {
    begin(socket, limitMs);
    socket.once('close', () => end(socket));
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    end(socket);
    socket.setTimeout(server.timeout);
    response.once('close', () => begin(socket, nextLimitMs(request)));
  });
}
