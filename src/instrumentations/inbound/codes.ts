/**
 * Reads who asked, for what, and how it ended, from an inbound request and its response as they pass: alike for
 * metrics and for spans. The sources tell it what they see; telling never throws.
 */
import type { BodyReader } from '../../business-code/body-reader';
import { innerCode, innerCodeReader, NO_CODE } from '../../business-code/codes';
import { type Decompress, isPlainObject } from '../../business-code/decompress';
import { findInQuery, type RequestBodyReader, requestBodyReader } from '../../business-code/request-data';
import { sharedState } from '../../shared-state';
import { readHeaders, type WantedHeaders } from './request-headers';
import { rawQuery } from './request-target';

/** Longest User-Agent that becomes a label whole. */
const F_CODE_CHARACTERS = 20;

/** A request and its response, as a source knows them. */
export interface InboundMessages {
  /** What the application and its framework know as the request and the response. */
  readonly request: object;
  readonly response: object;
  /** The request's method, as sent. */
  readonly method: string;
  /** Path and query as sent. */
  readonly target: string;
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
  /** Whether a body follows, where the headers alone do not tell. */
  readonly hasBody?: boolean;
  /** Whether the request's body has come to its end, of which so many bytes have passed. */
  isRequestWhole(bytes: number): boolean;
  /** Content-Encoding of the response; asked when its first chunk has passed, if that may be compressed. */
  contentEncoding(): string | undefined;
}

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
  private hasResponseEnded = false;
  private isEnded = false;

  /**
   * First: the head of a request has been read, and its handler is about to run.
   * @param bodyLimit bytes of each body that are read
   * @param onFault told of what went wrong while a body was read
   */
  constructor(
    protected readonly messages: InboundMessages,
    private readonly bodyLimit: number,
    private readonly onFault: (error: unknown) => void,
  ) {
    this.headers = readHeaders(messages.rawHeaders);
    this.query = rawQuery(messages.target);
    const hasBody = messages.hasBody ?? this.headers.hasBody;
    if (hasBody && !this.headers.methodCode && bodyLimit > 0) {
      this.requestBody = requestBodyReader(this.headers.contentType, bodyLimit);
    }
  }

  /** Whether the request's body is to be told. */
  get wantsRequestBody(): boolean {
    return this.requestBody !== undefined;
  }

  requestChunk(chunk: string | Uint8Array | null, encoding?: BufferEncoding): void {
    if (chunk === null || this.isEnded) return;
    try {
      this.requestBytes += Buffer.byteLength(chunk);
      this.requestBody?.push(chunk, encoding);
    } catch (error) {
      this.onFault(error);
    }
  }

  /** Second: the response's body passes, in chunks. */
  responseChunk(chunk: string | Uint8Array, encoding: BufferEncoding | undefined): void {
    if (this.isEnded || this.hasResponseEnded) return;
    try {
      if (this.responseBody === undefined) {
        this.responseBody = innerCodeReader(this.bodyLimit);
        if (!isPlainObject(chunk)) this.responseBody.setEncoding(this.messages.contentEncoding());
      }
      this.responseBody.push(chunk, encoding);
    } catch (error) {
      this.onFault(error);
    }
  }

  /** Third: the response's body has come to its end; what the application sends behind it, is refused. */
  responseEnded(): void {
    this.hasResponseEnded = true;
  }

  /** Last: what passes from now on is not looked at. */
  end(): void {
    this.isEnded = true;
  }

  /** What the bodies still keep is given back; their codes cannot be asked for any more. */
  protected discardBodies(): void {
    this.requestBody?.discard();
    this.responseBody?.discard();
  }

  get fCode(): string {
    return fCodeOf(this.headers.userAgent);
  }

  /** To be asked once, at the end. */
  methodCode(): string {
    return (
      sharedState().methodCodes.get(this.messages.request) ||
      this.headers.methodCode ||
      (findInQuery(this.query) ?? this.requestBody?.end(this.messages.isRequestWhole(this.requestBytes)) ?? '')
    );
  }

  /**
   * To be asked once, at the end.
   * @param isWhole false when the response broke off
   * @param decompress how a compressed body is decompressed; in the background, when it is left out
   */
  readCode(isWhole: boolean, onCode: (code: string) => void, decompress?: Decompress): void {
    const own = sharedState().businessCodes.get(this.messages.response);
    if (own !== undefined) onCode(own);
    else if (this.responseBody === undefined) onCode(NO_CODE);
    else this.responseBody.end(isWhole, (codes) => onCode(innerCode(codes)), decompress);
  }
}
