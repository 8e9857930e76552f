/** A request and a response of node:http and node:https, as those who read codes from them want them. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { InboundMessages } from './inbound-codes';

export class Http1Messages implements InboundMessages {
  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
  ) {}

  get method(): string {
    return this.request.method ?? '';
  }

  get target(): string {
    return this.request.url ?? '';
  }

  get rawHeaders(): readonly string[] {
    return this.request.rawHeaders;
  }

  /** Node says `complete` one turn after the last byte, which is too late where the answer did not wait for it. */
  isRequestWhole(bytes: number): boolean {
    return this.request.complete || String(bytes) === this.request.headers['content-length'];
  }

  statusCode(): number {
    return this.response.statusCode;
  }

  /**
   * How the response's body is packed. Headers that were handed to `writeHead` as an object are only in the text of the
   * head that Node has composed by then.
   */
  contentEncoding(): string | undefined {
    const value = this.response.getHeader('content-encoding');
    if (value !== undefined) return String(value);
    const head = (this.response as { _header?: string | null })._header;
    return head ? /\r\ncontent-encoding:[ \t]*([^\r]*)/i.exec(head)?.[1] : undefined;
  }
}
