/** A request and a response of node:http and node:https, for the readers of codes. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { InboundMessages } from './codes';

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
  contentEncoding(): string | undefined {
    const head = (this.response as { _header?: string | null })._header;
    return head ? /\r\ncontent-encoding:[ \t]*([^\r]*)/i.exec(head)?.[1] : undefined;
  }
}
