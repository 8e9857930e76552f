/**
 * One exchange with a partner, whatever client makes it: what is known of it until it ends, and its one measurement.
 * No method throws; after the end each is without effect.
 */
import type { Chunk } from '../../business-code/body-reader';
import type { AnswerHead, CodeReader } from '../../business-code/code-reader';
import { NO_CODE, partnerCode, partnerCodeReader, partnerRpcReader } from '../../business-code/codes';
import { isPlainObject } from '../../business-code/decompress';
import type { RpcReader } from '../../business-code/rpc/rpc-reader';
import type { PartnerError } from '../../metrics/measurement';
import { nowMs } from '../../runtime/clock';
import type { SourceContext } from '../instrumentation';
import type { Destination } from './destination';

export class PartnerExchange {
  private status: number | undefined;
  private body: CodeReader | undefined;
  /** The body's reader, where it is the answer of a remote method. */
  private rpc: RpcReader | undefined;
  /** Until the first chunk of the body. */
  private head: AnswerHead | undefined;
  private error: PartnerError | undefined;
  private hasFinished = false;
  /** Asks for the code as well, as soon as it is known. */
  private span: ((code: string) => void) | undefined;

  /**
   * @param source name of the instrumentation, for errors of our own
   * @param startedMs when the application made the request, by `nowMs()`
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

  /** First: the status is known. A code is read only after {@link PartnerExchange.bodyBegins}. */
  responded(status: number | undefined): void {
    this.status = status;
  }

  /** Second: a body follows. @param head is read with the first chunk of the body, unless that is plain JSON, or at the end */
  bodyBegins(head: AnswerHead): void {
    if (this.hasFinished) return;
    try {
      this.body = partnerCodeReader(this.context.bodyLimit, this.destination.codeFrom);
      this.head = head;
    } catch (error) {
      this.context.recorder.failed(this.source, error);
    }
  }

  /**
   * Where there is a span, which cannot wait: it has the code from the same reading as the metrics.
   * @param onCode called at most once, at the end or when nothing can change the code any more; must not throw
   * @returns false where the body is not read here
   */
  shareCode(onCode: (code: string) => void): boolean {
    if (this.hasFinished || this.body === undefined) return false;
    this.body.share();
    this.span = onCode;
    return true;
  }

  /** Third: a chunk of the body, as received. */
  chunk(chunk: Chunk, encoding?: BufferEncoding): void {
    if (this.hasFinished) return;
    try {
      if (this.head !== undefined) this.readHead(this.head, chunk);
      this.body?.push(chunk, encoding);
      // the end may never come
      if (this.span !== undefined && this.body?.isDone) this.stamp(true);
      if (this.rpc?.isAnswered) this.finish(true);
    } catch (error) {
      this.context.recorder.failed(this.source, error);
    }
  }

  /** @param chunk the first one of the body; undefined where there is none */
  private readHead(head: AnswerHead, chunk: Chunk | undefined): void {
    this.head = undefined;
    if (chunk !== undefined && isPlainObject(chunk)) return;
    const rpc = partnerRpcReader(head, this.context.bodyLimit);
    if (rpc !== undefined) {
      this.body?.discard();
      this.body = this.rpc = rpc;
      if (this.span !== undefined) rpc.share();
    }
    this.body?.setEncoding(head.header('content-encoding'));
  }

  /** The cause of an end that follows. The first one counts, and none where the response is whole. */
  failed(error: PartnerError): void {
    this.error ??= error;
  }

  /**
   * Last: the exchange is over, and is recorded. Only the first end counts.
   * @param isWhole whether the body was received to its end
   */
  finish(isWhole: boolean): void {
    if (this.hasFinished) return;
    this.hasFinished = true;
    const durationMs = nowMs() - this.startedMs;
    try {
      const { status } = this;
      const error = this.errorOf(isWhole);
      this.readCode(isWhole, (code) => {
        const { partner, actionCode } = this.destination;
        const labels = { partner, actionCode, httpStatus: statusText(status), code };
        this.context.recorder.recordPartner(labels, durationMs, error);
      });
    } catch (failure) {
      this.context.recorder.failed(this.source, failure, 'partner');
    }
  }

  /** A response that breaks off is a failure too; one with a head and without a cause has become another protocol. */
  private errorOf(isWhole: boolean): PartnerError | undefined {
    const { status, error } = this;
    if (status === undefined) return error ?? 'aborted';
    // who follows a redirect gives up its body
    return isWhole || (error === 'aborted' && isRedirect(status)) ? undefined : error;
  }

  private readCode(isWhole: boolean, onCode: (code: string) => void): void {
    if (this.head !== undefined) this.readHead(this.head, undefined);
    if (this.body === undefined) onCode(NO_CODE);
    else this.body.end(isWhole, (codes) => onCode(partnerCode(codes)));
    this.stamp(isWhole);
  }

  private stamp(isWhole: boolean): void {
    const { span, body } = this;
    this.span = undefined;
    if (span !== undefined && body !== undefined) span(partnerCode(body.readAtOnce(isWhole)));
  }
}

function isRedirect(status: number): boolean {
  return status >= 300 && status < 400;
}

/**
 * The label `http_status`: the three digits that the partner sent, and `0` for no response alone. Node's parser takes a
 * status line with `000`, and gives 0.
 * @see RFC 9110, section 15: a status is 100 to 599
 */
function statusText(status: number | undefined): string {
  if (status === undefined) return '0';
  return status < 100 ? String(status).padStart(3, '0') : String(status);
}
