/** What is read of a response of node:http beside its body: the head as Node writes it, and what is left of it to send. */
import { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { announcedLength, NOT_ANNOUNCED } from './announced-body';

/** Fields of Node's own, the same in Node 20 to 26. */
interface Internals {
  /** The text of the head, once it is composed. */
  readonly _header?: string | null;
  /** Whether the head has been given to the socket, or waits for it. */
  readonly _headerSent?: boolean;
  /** False for an answer to HEAD, and for the statuses that have no body. */
  readonly _hasBody?: boolean;
}

const CONTENT_LENGTH = /\r\ncontent-length:[ \t]*(\d+)/i;
/** Position of the three digits of the status in the head that Node writes: `HTTP/1.1 200 OK`. */
const STATUS_AT = 'HTTP/1.1 '.length;
const ZERO = 0x30;

/** The status that was sent: an error handler may change `statusCode` after that. */
export function sentStatus(response: ServerResponse): number {
  const head = (response as Internals)._header;
  if (!head) return response.statusCode;
  return digit(head, STATUS_AT) * 100 + digit(head, STATUS_AT + 1) * 10 + digit(head, STATUS_AT + 2);
}

function digit(text: string, at: number): number {
  return text.charCodeAt(at) - ZERO;
}

/** Bytes that the body will have; to be asked before its first chunk is written, when the head may not be composed yet. */
export function announcedBytes(response: ServerResponse): number {
  const { _header: head, _hasBody: hasBody } = response as Internals;
  // Node takes the chunks of a body that is not due, and writes none
  if (hasBody === false) return NOT_ANNOUNCED;
  return announcedLength(
    head ? CONTENT_LENGTH.exec(head)?.[1] : ServerResponse.prototype.getHeader.call(response, 'content-length'),
  );
}

/** Whether nothing of what was given to the response so far waits to be written. */
export function isWritten(response: ServerResponse, socket: Socket): boolean {
  // a socket that the client has ended takes nothing any more: then the response keeps what is left
  return response.writableLength === 0 && !socket.destroyed;
}

/** Whether the head was the whole response, and has been sent. To be asked when the connection has closed. */
export function isHeadAlone(response: ServerResponse): boolean {
  const { _header: head, _headerSent: isSent, _hasBody: hasBody } = response as Internals;
  if (!head || !isSent || response.socket === null || response.writableLength > 0) return false;
  return hasBody === false || announcedLength(CONTENT_LENGTH.exec(head)?.[1]) === 0;
}
