/**
 * Closes a connection whose next request arrives before the last one is answered.
 *
 * Node parses everything that one read of the socket has brought, and calls the handler for each request in it: 64 KiB
 * of HEAD requests are 2,000 calls in one step, and sixty connections of them kept the application from its event loop
 * for half a minute. No scraper sends its requests like that. Node's parser stops at a request that asks for another
 * protocol, and at no other: so the second request is presented to it as one of these.
 */
import { IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** The last response of each connection. */
const lastResponses = new WeakMap<Socket, ServerResponse>();

/** Whether a request of this connection is not answered, or the bytes of its answer are still here. */
export function isAnswering(socket: Socket): boolean {
  return lastResponses.get(socket)?.writableFinished === false;
}

class ScrapeRequest extends IncomingMessage {
  // null until the parser has set it; declared, because a field would be created after the parent's constructor set it
  declare private isUpgrade: boolean | null;

  /** Read and set by Node: whether the parser leaves the rest of the connection to somebody else. */
  get upgrade(): boolean {
    const last = lastResponses.get(this.socket);
    if (last !== undefined && last.req !== this && !last.writableFinished) return true;
    // a request for an upgrade is answered as any other
    return this.method === 'CONNECT' && this.isUpgrade === true;
  }

  set upgrade(value: boolean) {
    this.isUpgrade = value;
  }
}

/** Options for the server. */
export const WITHOUT_PIPELINING = { IncomingMessage: ScrapeRequest } as const;

/** @param server created with {@link WITHOUT_PIPELINING} */
export function closePipelined(server: Server): void {
  // in front of the handler, whose answer may be complete when it returns
  server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    lastResponses.set(socket, response);
  });
  server.on('upgrade', (_request, socket) => socket.destroy());
}
