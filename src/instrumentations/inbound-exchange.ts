/**
 * One request that this process answers, over whatever version of HTTP: what is known of it until its response has
 * gone, and its one measurement. The sources tell it what they see; telling never throws, and after the end it is
 * without effect.
 */
import { decodePath } from '../business-code/percent-decode';
import { nowMs } from '../core/stopwatch';
import { InboundCodes, type InboundMessages } from './inbound-codes';
import type { SourceContext } from './instrumentation';
import { rawPath } from './request-target';
import { endRoute, routeOf } from './routes';

/** The client left before the response was handed to the operating system. */
export const STATUS_CLIENT_LEFT = 499;
const STATUS_NOT_FOUND = 404;

/** The path of a request, decoded: its label where no framework reports a route. */
export function inboundPath(target: string): string {
  return decodePath(rawPath(target));
}

export class InboundExchange {
  private readonly startedMs = nowMs();
  private readonly codes: InboundCodes;
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
    this.codes = new InboundCodes(messages, context.bodyLimit, (error) => context.recorder.failed(source, error));
  }

  /** Whether the request's body is to be told. */
  get wantsRequestBody(): boolean {
    return this.codes.wantsRequestBody;
  }

  get isFinished(): boolean {
    return this.hasFinished;
  }

  requestChunk(chunk: string | Uint8Array | null, encoding?: BufferEncoding): void {
    this.codes.requestChunk(chunk, encoding);
  }

  responseChunk(chunk: string | Uint8Array, encoding: BufferEncoding | undefined): void {
    // a response that is not recorded need not be read
    if (!this.codes.hasResponse && this.messages.statusCode() === STATUS_NOT_FOUND) return;
    this.codes.responseChunk(chunk, encoding);
  }

  /**
   * The exchange is over; only the first call counts.
   * @param isWhole whether the response came to its end
   */
  finish(status: number, isWhole: boolean): void {
    if (this.hasFinished) return;
    this.hasFinished = true;
    this.codes.end();
    if (status !== STATUS_NOT_FOUND) this.record(status, isWhole);
    endRoute(this.messages.request);
  }

  private record(status: number, isWhole: boolean): void {
    const durationMs = nowMs() - this.startedMs;
    try {
      const path = routeOf(this.messages.request) ?? this.path;
      const { fCode } = this.codes;
      const methodCode = this.codes.methodCode();
      this.codes.readCode(isWhole, (code) => {
        const httpMethod = this.messages.method;
        const labels = { fCode, path, httpStatus: String(status), code, methodCode, httpMethod };
        this.context.recorder.recordInner(labels, durationMs);
      });
    } catch (error) {
      this.context.recorder.failed(this.source, error, 'inner');
    }
  }
}
