/** A request and a response of node:http and node:https, for the readers of codes. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AnswerHeader } from '../../business-code/code-reader';
import type { InboundMessages } from './codes';

/** Fields of Node's own, the same in Node 20 to 26: the texts of head and trailers, once they are composed. */
interface Internals {
  readonly _header?: string | null;
  readonly _trailer?: string;
}

const HEADERS: Readonly<Record<AnswerHeader, RegExp>> = {
  'content-type': /\r\ncontent-type:[ \t]*([^\r]*)/i,
  'content-encoding': /\r\ncontent-encoding:[ \t]*([^\r]*)/i,
  'connect-content-encoding': /\r\nconnect-content-encoding:[ \t]*([^\r]*)/i,
  'grpc-status': /\r\ngrpc-status:[ \t]*([^\r]*)/i,
};
const STATUS_TRAILER = /^grpc-status:[ \t]*([^\r]*)/im;

/**
 * It reads few properties of the two objects once the application has them: Express gives each a hidden class of its
 * own, so V8 cannot cache the lookups.
 */
export class Http1Messages implements InboundMessages {
  readonly method: string;

  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
  ) {
    this.method = request.method ?? '';
  }

  get target(): string {
    return this.request.url ?? '';
  }

  get rawHeaders(): readonly string[] {
    return this.request.rawHeaders;
  }

  /** Node sets `complete` one turn after the last byte: too late where the response did not wait for it. */
  isRequestWhole(bytes: number): boolean {
    return this.request.complete || String(bytes) === this.request.headers['content-length'];
  }

  /** Read from the text of the head, which also has the headers that were given to `writeHead` as an object. */
  header(name: AnswerHeader): string | undefined {
    const { _header: head } = this.response as Internals;
    return head ? HEADERS[name].exec(head)?.[1] : undefined;
  }

  trailer(): string | undefined {
    const { _trailer: trailers } = this.response as Internals;
    return trailers ? STATUS_TRAILER.exec(trailers)?.[1] : undefined;
  }
}
