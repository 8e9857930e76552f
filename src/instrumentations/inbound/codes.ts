/**
 * Reads the caller's User-Agent and the labels `method_code` and `code` from an inbound request and its response as they
 * pass, for metrics and for spans. The methods that take chunks do not throw.
 */
import type { AnswerHead, CodeReader } from '../../business-code/code-reader';
import { type CodeReading, innerCode, innerCodeReader, innerRpcReader, NO_CODE } from '../../business-code/codes';
import { isPlainObject } from '../../business-code/decompress';
import { findInQuery, type RequestBodyReader, requestBodyReader } from '../../business-code/request-data';
import { rpcKindOf } from '../../business-code/rpc/kind';
import type { RpcOutcome, RpcReader } from '../../business-code/rpc/rpc-reader';
import { sharedState } from '../../shared-state';
import { rawQuery } from '../request-target';
import { readHeaders, type WantedHeaders } from './request-headers';

/** What a source provides of a request and its response. */
export interface InboundMessages extends AnswerHead {
  /** The objects that the application and its framework have for the request and the response. */
  readonly request: object;
  readonly response: object;
  /** The request's method, as sent. */
  readonly method: string;
  /** Path and query as sent. */
  readonly target: string;
  /** Names and values, alternating. */
  readonly rawHeaders: readonly string[];
  /** Whether a body follows, where the headers alone do not decide it. */
  readonly hasBody?: boolean;
  /**
   * Whether the request's body is complete.
   * @param bytes of it that have passed
   */
  isRequestWhole(bytes: number): boolean;
}

/** How deep a code may stand; absent: at any depth. */
export type MaxDepth = (() => number) | undefined;

export class InboundCodes {
  private readonly headers: WantedHeaders;
  private readonly query: string;
  private readonly requestBody: RequestBodyReader | undefined;
  private requestBytes = 0;
  /** The interface number, once it has been read: for metrics or spans, whoever asks first. */
  private readMethodCode: string | undefined;
  /** Whether a span asks for both codes as well, before the metrics or after them. */
  private isShared = false;
  /** Whether the request calls a remote method: its response is looked at for the status of one. */
  private readonly isRpc: boolean;
  private rpc: RpcReader | undefined;
  private responseBody: CodeReader | undefined;
  private hasResponseEnded = false;
  /** Whether the response came to its end, as the metrics have it. */
  private wasWhole: boolean | undefined;
  private isEnded = false;

  /**
   * First: the head of a request has been read, and its handler is about to run.
   * @param onFault gets an error that occurred while a body was read
   */
  constructor(
    private readonly messages: InboundMessages,
    private readonly reading: CodeReading,
    private readonly onFault: (error: unknown) => void,
  ) {
    this.headers = readHeaders(messages.rawHeaders);
    this.query = rawQuery(messages.target);
    const hasBody = messages.hasBody ?? this.headers.hasBody;
    this.isRpc = rpcKindOf(this.headers.contentType) !== undefined;
    // messages of remote methods are no data in which a name could be searched
    if (hasBody && !this.isRpc && !this.headers.methodCode && reading.bodyLimit > 0) {
      this.requestBody = requestBodyReader(this.headers.contentType, reading.bodyLimit, reading.methodCodeFrom);
    }
  }

  /** Second, where there is a span: its codes are asked for as well, by {@link readCodeAtOnce} and {@link methodCode}. */
  share(): void {
    this.isShared = true;
    this.responseBody?.share();
  }

  /** Whether the chunks of the request's body are to be passed to {@link requestChunk}. */
  get wantsRequestBody(): boolean {
    return this.requestBody !== undefined;
  }

  requestChunk(chunk: string | Uint8Array | null, encoding?: BufferEncoding): void {
    if (chunk === null || this.isEnded) return;
    try {
      this.requestBytes += typeof chunk === 'string' ? Buffer.byteLength(chunk, encoding) : chunk.byteLength;
      this.requestBody?.push(chunk, encoding);
    } catch (error) {
      this.onFault(error);
    }
  }

  /** Third: a chunk of the response's body has passed. */
  responseChunk(chunk: string | Uint8Array, encoding: BufferEncoding | undefined): void {
    if (this.isEnded || this.hasResponseEnded) return;
    try {
      if (this.responseBody === undefined) {
        this.responseBody = this.rpcReader() ?? innerCodeReader(this.reading.bodyLimit, this.reading.codeFrom);
        if (this.isShared) this.responseBody.share();
        if (!isPlainObject(chunk)) this.responseBody.setEncoding(this.messages.header('content-encoding'));
      }
      this.responseBody.push(chunk, encoding);
    } catch (error) {
      this.onFault(error);
    }
  }

  /** Fourth: the response's body has ended; Node refuses chunks after that. */
  responseEnded(): void {
    if (this.hasResponseEnded) return;
    this.hasResponseEnded = true;
    try {
      this.responseBody?.complete();
    } catch (error) {
      this.onFault(error);
    }
  }

  /** Last: later chunks are ignored. */
  end(): void {
    this.isEnded = true;
  }

  /** What the bodies still keep is given back; the metrics cannot ask for the response's code any more. */
  discardBodies(): void {
    if (this.isShared) {
      try {
        this.methodCode();
        // the metrics have not asked for its code, as for that of a 404
        if (this.wasWhole === undefined) this.responseBody?.readAtOnce(true);
      } catch (error) {
        this.onFault(error);
      }
    }
    this.requestBody?.discard();
    this.responseBody?.discard();
  }

  /** Undefined where none was sent. */
  get userAgent(): string | undefined {
    return this.headers.userAgent;
  }

  /** To be called at the end; the body is read by the first call. */
  methodCode(): string {
    this.readMethodCode ??= this.findMethodCode();
    return this.readMethodCode;
  }

  private findMethodCode(): string {
    return (
      sharedState().methodCodes.get(this.messages.request) ||
      this.headers.methodCode ||
      (findInQuery(this.query, this.reading.methodCodeFrom) ??
        this.requestBody?.end(this.messages.isRequestWhole(this.requestBytes)) ??
        '')
    );
  }

  /**
   * For metrics; to be called once, at the end. A compressed body may be decompressed in the background.
   * @param isWhole false when the response broke off
   */
  readCode(isWhole: boolean, onCode: (code: string) => void, maxDepth?: MaxDepth): void {
    this.wasWhole = isWhole;
    const own = sharedState().businessCodes.get(this.messages.response);
    const body = this.responseBody ?? this.rpcReader();
    if (own === undefined && body !== undefined) {
      body.end(isWhole, (codes) => onCode(innerCode(codes, maxDepth)));
      return;
    }
    this.rpc?.end(isWhole, () => undefined);
    onCode(own ?? NO_CODE);
  }

  /** What the answer of a remote method says of that, once its code has been read; undefined where it is no such answer. */
  get rpcOutcome(): RpcOutcome | undefined {
    return this.rpc?.outcome;
  }

  /** To be called when the head of the response has been sent. */
  private rpcReader(): RpcReader | undefined {
    if (this.isRpc) this.rpc = innerRpcReader(this.messages, this.reading.bodyLimit);
    return this.rpc;
  }

  /**
   * For a span, which cannot wait; before {@link readCode} or after it, which both have what is read once.
   * @param isWhole false when the response broke off; the metrics know better, where they came first
   */
  readCodeAtOnce(isWhole: boolean, maxDepth?: MaxDepth): string {
    const own = sharedState().businessCodes.get(this.messages.response);
    if (own !== undefined) return own;
    const body = this.responseBody ?? this.rpc ?? this.rpcReader();
    const codes = body?.readAtOnce(this.wasWhole ?? isWhole);
    return codes === undefined ? NO_CODE : innerCode(codes, maxDepth);
  }
}
