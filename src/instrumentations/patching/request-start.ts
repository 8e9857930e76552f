/** Node's diagnostics channel for requests that a server of node:http or node:https answers. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Published when the head of a request has been read, before its handler runs.
 * @see https://nodejs.org/api/diagnostics_channel.html#http
 */
export const REQUEST_START = 'http.server.request.start';

/** The message of the channel. */
export interface RequestStart {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly socket: Socket;
  readonly server: Server;
}
