/**
 * Reads who asked, for what, and how it ended, from an inbound request and its response as they pass: alike for
 * metrics and for spans.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BodyReader } from '../business-code/body-reader';
import { innerCode, innerCodeReader, NO_CODE } from '../business-code/codes';
import type { Unpack } from '../business-code/decompress';
import { findInQuery, type RequestBodyReader, requestBodyReader } from '../business-code/request-data';
import { sharedState } from '../core/overrides';
import { observePush } from './patch';
import { readHeaders, type WantedHeaders } from './request-headers';
import { rawQuery } from './request-target';

/** Longest User-Agent that becomes a label whole. */
const F_CODE_CHARACTERS = 20;

/** The caller, as a label. @param userAgent the header */
export function fCodeOf(userAgent: string | undefined): string {
  if (userAgent === undefined) return '';
  return userAgent.length > F_CODE_CHARACTERS ? `${userAgent.slice(0, F_CODE_CHARACTERS)}...` : userAgent;
}

export class InboundCodes {
  private readonly headers: WantedHeaders;
  private readonly query: string;
  private readonly requestBody: RequestBodyReader | undefined;
  private requestBytes = 0;
  private responseBody: BodyReader | undefined;
  private isEnded = false;

  /**
   * First: the head of a request has been read, and its handler is about to run.
   * @param bodyLimit bytes of each body that are read
   * @param onFault told of what went wrong while a body was read
   */
  constructor(
    private readonly request: IncomingMessage,
    private readonly response: ServerResponse,
    private readonly bodyLimit: number,
    private readonly onFault: (error: unknown) => void,
  ) {
    this.headers = readHeaders(request.rawHeaders);
    this.query = rawQuery(request.url ?? '');
    if (this.headers.hasBody && !this.headers.methodCode && bodyLimit > 0) {
      const reader = requestBodyReader(this.headers.contentType, bodyLimit);
      this.requestBody = reader;
      observePush(request, (chunk, encoding) => this.requestChunk(reader, chunk, encoding));
    }
  }

  /** Whether some of the response's body has passed. */
  get hasResponse(): boolean {
    return this.responseBody !== undefined;
  }

  private requestChunk(reader: RequestBodyReader, chunk: string | Uint8Array | null, encoding?: BufferEncoding): void {
    if (chunk === null || this.isEnded) return;
    try {
      this.requestBytes += Buffer.byteLength(chunk);
      reader.push(chunk, encoding);
    } catch (error) {
      this.onFault(error);
    }
  }

  /** Second: the response's body passes, in pieces. */
  responseChunk(chunk: string | Uint8Array, encoding: BufferEncoding | undefined): void {
    if (this.isEnded) return;
    try {
      if (this.responseBody === undefined) {
        this.responseBody = innerCodeReader(this.bodyLimit);
        this.responseBody.setEncoding(contentEncoding(this.response));
      }
      this.responseBody.push(chunk, encoding);
    } catch (error) {
      this.onFault(error);
    }
  }

  /** Last: what passes from now on is not looked at. */
  end(): void {
    this.isEnded = true;
  }

  get fCode(): string {
    return fCodeOf(this.headers.userAgent);
  }

  /** To be asked once, at the end. */
  methodCode(): string {
    return (
      sharedState().methodCodes.get(this.request) ||
      this.headers.methodCode ||
      (findInQuery(this.query) ?? this.requestBody?.end(this.isRequestWhole()) ?? '')
    );
  }

  /**
   * To be asked once, at the end.
   * @param isWhole false when the response broke off
   * @param unpack how a packed body is unpacked; in the background, when it is left out
   */
  readCode(isWhole: boolean, onCode: (code: string) => void, unpack?: Unpack): void {
    const own = sharedState().businessCodes.get(this.response);
    if (own !== undefined) onCode(own);
    else if (this.responseBody === undefined) onCode(NO_CODE);
    else this.responseBody.end(isWhole, (codes) => onCode(innerCode(codes)), unpack);
  }

  /** Node says `complete` one turn after the last byte, which is too late where the answer did not wait for it. */
  private isRequestWhole(): boolean {
    return this.request.complete || String(this.requestBytes) === this.request.headers['content-length'];
  }
}

/**
 * How the response's body is packed. Headers that were handed to `writeHead` as an object are only in the text of the
 * head that Node has composed by then.
 */
function contentEncoding(response: ServerResponse): string | undefined {
  const value = response.getHeader('content-encoding');
  if (value !== undefined) return String(value);
  const head = (response as { _header?: string | null })._header;
  return head ? /\r\ncontent-encoding:[ \t]*([^\r]*)/i.exec(head)?.[1] : undefined;
}
