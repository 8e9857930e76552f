/** A request and a response of node:http and node:https, as those who read codes from them want them. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { InboundMessages } from './codes';

/**
 * Little is asked of the two objects once the application has them: Express gives each a hidden class of its own, so
 * that V8 looks a property up anew each time.
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

  /** Node says `complete` one turn after the last byte, which is too late where the answer did not wait for it. */
  isRequestWhole(bytes: number): boolean {
    return this.request.complete || String(bytes) === this.request.headers['content-length'];
  }

  /**
   * How the response's body is compressed: from the text of the head that Node has composed by then, in which headers are
   * that were handed to `writeHead` as an object, too.
   */
  contentEncoding(): string | undefined {
    const head = (this.response as { _header?: string | null })._header;
    return head ? /\r\ncontent-encoding:[ \t]*([^\r]*)/i.exec(head)?.[1] : undefined;
  }
}
