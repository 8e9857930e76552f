/** One connection to the hub, and what the hub knows of the process behind it. */
import type { Socket } from 'node:net';
import type { LegacyInbox } from './legacy-messages';
import { encodeFrame, type Hello, type HubMessage } from './protocol';
import { sendNow } from './socket-write';

export interface Peer {
  readonly socket: Socket;
  hello?: Hello;
  /** Whether it has asked for a scrape in place of sending a hello. */
  isScraping?: boolean;
  /** Whether it has sent its last batch. */
  hasTakenLeave?: boolean;
  /** The collect message that it has not answered yet. */
  asked?: { readonly id: number; readonly answered: () => void };
  /** Number of the first batch that was added of it. */
  firstBatch?: number;
  /** What it brings of the hub before. */
  legacy?: LegacyInbox;
}

/** Member to the connection that counts for it: the newest. */
export type Peers = ReadonlyMap<string, Peer>;

/** Does not close the socket of a peer that has ended: what it sent before may not be read yet. */
export function send({ socket }: Peer, message: HubMessage): void {
  if (sendNow(socket, encodeFrame(message)) === 'full') socket.destroy();
}
