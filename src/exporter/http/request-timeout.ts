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
export const WITHOUT_CHECK = { connectionsCheckingInterval: NEVER_MS, requestTimeout: 0, headersTimeout: 0 } as const;

/** @param limitMs from the connection, or from the end of the last answer, until the head of a request is complete */
export function closeOnRequestTimeout(server: Server, limitMs: number): void {
  const limits = new WeakMap<Socket, NodeJS.Timeout>();
  const begin = (socket: Socket) => {
    if (!socket.destroyed) limits.set(socket, setTimeout(() => socket.destroy(), limitMs).unref());
  };
  const end = (socket: Socket) => clearTimeout(limits.get(socket));
  server.on('connection', (socket: Socket) => {
    begin(socket);
    socket.once('close', () => end(socket));
  });
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    end(socket);
    response.once('close', () => begin(socket));
  });
}
