/**
 * One request that this process answers, over whatever version of HTTP: what is known of it until its response has
 * gone, and its one measurement. The sources tell it what they see; telling never throws, and after the end it is
 * without effect.
 */
import type { BodyReader } from '../business-code/body-reader';
import { innerCode, innerCodeReader, NO_CODE } from '../business-code/codes';
import { decodePath } from '../business-code/percent-decode';
import { findInQuery, type RequestBodyReader, requestBodyReader } from '../business-code/request-data';
import { sharedState } from '../core/overrides';
import { nowMs } from '../core/stopwatch';
import type { SourceContext } from './instrumentation';
import { readHeaders, type WantedHeaders } from './request-headers';
import { rawPath, rawQuery } from './request-target';
import { routeOf } from './routes';

/** The client left before the response was handed to the operating system. */
export const STATUS_CLIENT_LEFT = 499;
const STATUS_NOT_FOUND = 404;
/** Longest User-Agent that becomes a label whole. */
const F_CODE_CHARACTERS = 20;

/** A request and its response, as a source knows them. */
export interface InboundMessages {
  /** What the application and its framework know as the request and the response. */
  readonly request: object;
  readonly response: object;
  /** Path and query as sent. */
  readonly target: string;
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
  /** Whether a body follows, where the headers alone do not tell. */
  readonly hasBody?: boolean;
  /** Whether the request's body has come to its end, of which so many bytes have passed. */
  isRequestWhole(bytes: number): boolean;
  /** Status of the response, as far as it has been decided. */
  statusCode(): number | undefined;
  /** Content-Encoding of the response; asked when its first piece passes. */
  contentEncoding(): string | undefined;
}

/** The path of a request, decoded: its label where no framework reports a route. */
export function inboundPath(target: string): string {
  return decodePath(rawPath(target));
}

export class InboundExchange {
  private readonly startedMs = nowMs();
  private readonly headers: WantedHeaders;
  private readonly query: string;
  private readonly requestBody: RequestBodyReader | undefined;
  private requestBytes = 0;
  private responseBody: BodyReader | undefined;
  private hasFinished = false;

  /**
   * @param source the source's name, for errors of our own
   * @param path as {@link inboundPath} gives it
   */
  constructor(
    private readonly context: SourceContext,
    private readonly source: string,
    private readonly messages: InboundMessages,
    private readonly path: string,
  ) {
    this.headers = readHeaders(messages.rawHeaders);
    this.query = rawQuery(messages.target);
    const hasBody = messages.hasBody ?? this.headers.hasBody;
    if (hasBody && !this.headers.methodCode && context.bodyLimit > 0) {
      this.requestBody = requestBodyReader(this.headers.contentType, context.bodyLimit);
    }
  }

  /** Whether the request's body is to be told. */
  get wantsRequestBody(): boolean {
    return this.requestBody !== undefined;
  }

  get isFinished(): boolean {
    return this.hasFinished;
  }

  requestChunk(chunk: string | Uint8Array | null, encoding?: BufferEncoding): void {
    if (chunk === null || this.hasFinished) return;
    try {
      this.requestBytes += Buffer.byteLength(chunk);
      this.requestBody?.push(chunk, encoding);
    } catch (error) {
      this.context.recorder.failed(this.source, error);
    }
  }

  responseChunk(chunk: string | Uint8Array, encoding: BufferEncoding | undefined): void {
    if (this.hasFinished) return;
    try {
      if (this.responseBody === undefined) {
        // a response that is not recorded need not be read
        if (this.messages.statusCode() === STATUS_NOT_FOUND) return;
        this.responseBody = innerCodeReader(this.context.bodyLimit);
        this.responseBody.setEncoding(this.messages.contentEncoding());
      }
      this.responseBody.push(chunk, encoding);
    } catch (error) {
      this.context.recorder.failed(this.source, error);
    }
  }

  /**
   * The exchange is over; only the first call counts.
   * @param isWhole whether the response came to its end
   */
  finish(status: number, isWhole: boolean): void {
    if (this.hasFinished) return;
    this.hasFinished = true;
    if (status === STATUS_NOT_FOUND) return;
    const durationMs = nowMs() - this.startedMs;
    try {
      const path = routeOf(this.messages.request) ?? this.path;
      const methodCode = this.methodCode();
      this.readCode(isWhole, (code) => {
        const fCode = shortened(this.headers.userAgent ?? '');
        this.context.recorder.recordInner({ fCode, path, httpStatus: String(status), code, methodCode }, durationMs);
      });
    } catch (error) {
      this.context.recorder.failed(this.source, error, 'inner');
    }
  }

  private readCode(isWhole: boolean, onCode: (code: string) => void): void {
    const own = sharedState().businessCodes.get(this.messages.response);
    if (own !== undefined) onCode(own);
    else if (this.responseBody === undefined) onCode(NO_CODE);
    else this.responseBody.end(isWhole, (codes) => onCode(innerCode(codes)));
  }

  private methodCode(): string {
    return (
      sharedState().methodCodes.get(this.messages.request) ||
      this.headers.methodCode ||
      (findInQuery(this.query) ?? this.requestBody?.end(this.messages.isRequestWhole(this.requestBytes)) ?? '')
    );
  }
}

function shortened(userAgent: string): string {
  return userAgent.length > F_CODE_CHARACTERS ? `${userAgent.slice(0, F_CODE_CHARACTERS)}...` : userAgent;
}
