/**
 * One exchange with a partner, whatever client made it: what is known of it until it ends, and its one measurement.
 * The sources tell it what they see; telling never throws, and after the end it is without effect.
 */
import type { BodyReader, Chunk } from '../../business-code/body-reader';
import { NO_CODE, partnerCode, partnerCodeReader } from '../../business-code/codes';
import { isPlainObject } from '../../business-code/decompress';
import type { PartnerError } from '../../metrics/measurement';
import { nowMs } from '../../runtime/clock';
import type { SourceContext } from '../instrumentation';
import type { Destination } from './destination';

export class PartnerCall {
  private status: number | undefined;
  private body: BodyReader | undefined;
  /** Until the first chunk of the body. */
  private contentEncoding: (() => string | undefined) | undefined;
  private error: PartnerError | undefined;
  private hasFinished = false;

  /**
   * @param source the source's name, for errors of our own
   * @param startedMs when the call was made, by `nowMs()`
   */
  constructor(
    private readonly context: SourceContext,
    private readonly source: string,
    private readonly destination: Destination,
    private readonly startedMs: number,
  ) {}

  get isFinished(): boolean {
    return this.hasFinished;
  }

  /** The status is known. The body's code is read only after {@link PartnerCall.bodyBegins}. */
  responded(status: number | undefined): void {
    this.status = status;
  }

  /** A body follows. @param contentEncoding gives the header; asked with the first chunk, if that may be compressed */
  bodyBegins(contentEncoding: () => string | undefined): void {
    if (this.hasFinished) return;
    try {
      this.body = partnerCodeReader(this.context.bodyLimit);
      this.contentEncoding = contentEncoding;
    } catch (error) {
      this.context.recorder.failed(this.source, error);
    }
  }

  /** The next chunk of the body, as received. */
  chunk(chunk: Chunk, encoding?: BufferEncoding): void {
    if (this.hasFinished) return;
    try {
      if (this.contentEncoding !== undefined && !isPlainObject(chunk)) this.body?.setEncoding(this.contentEncoding());
      this.contentEncoding = undefined;
      this.body?.push(chunk, encoding);
    } catch (error) {
      this.context.recorder.failed(this.source, error);
    }
  }

  /** Why the exchange is about to end; the first cause counts, and only where no status came. */
  failed(error: PartnerError): void {
    this.error ??= error;
  }

  /**
   * The exchange is over; only the first call counts.
   * @param isWhole whether the body came to its end
   */
  finish(isWhole: boolean): void {
    if (this.hasFinished) return;
    this.hasFinished = true;
    const durationMs = nowMs() - this.startedMs;
    try {
      const { status } = this;
      const error = status === undefined ? (this.error ?? 'aborted') : undefined;
      this.readCode(isWhole, (code) => {
        const { partner, actionCode } = this.destination;
        const labels = { partner, actionCode, httpStatus: String(status ?? 0), code };
        this.context.recorder.recordPartner(labels, durationMs, error);
      });
    } catch (failure) {
      this.context.recorder.failed(this.source, failure, 'partner');
    }
  }

  private readCode(isWhole: boolean, onCode: (code: string) => void): void {
    if (this.body === undefined) onCode(NO_CODE);
    else this.body.end(isWhole, (codes) => onCode(partnerCode(codes)));
  }
}
