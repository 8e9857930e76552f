/**
 * One request that this process answers, over whatever version of HTTP: what is known of it until its response has
 * gone, and its one measurement. The sources tell it what they see; telling never throws, and after the end it is
 * without effect.
 */
import { decodePath } from '../../business-code/percent-decode';
import { nowMs } from '../../runtime/clock';
import type { SourceContext } from '../instrumentation';
import { InboundCodes, type InboundMessages } from './codes';
import { rawPath } from './request-target';
import { endRoute, routeOf } from './routes';

/** The client left before the response was handed to the operating system. */
export const STATUS_CLIENT_LEFT = 499;
const STATUS_NOT_FOUND = 404;

/** The path of a request, decoded: its label where no framework reports a route. */
export function inboundPath(target: string): string {
  return decodePath(rawPath(target));
}

/** What the exchanges of one source have in common. */
export class InboundSource {
  /** Told of what went wrong while a body was read. */
  readonly onFault: (error: unknown) => void;

  /** @param name for errors of our own */
  constructor(
    readonly name: string,
    readonly context: SourceContext,
  ) {
    this.onFault = (error) => context.recorder.failed(name, error);
  }
}

export class InboundExchange extends InboundCodes {
  private readonly startedMs = nowMs();
  private hasFinished = false;

  /** @param path as {@link inboundPath} gives it */
  constructor(
    private readonly source: InboundSource,
    messages: InboundMessages,
    private readonly path: string,
  ) {
    super(messages, source.context.bodyLimit, source.onFault);
  }

  /**
   * The exchange is over; only the first call counts.
   * @param isWhole whether the response came to its end
   */
  finish(status: number, isWhole: boolean): void {
    if (this.hasFinished) return;
    this.hasFinished = true;
    this.end();
    if (status !== STATUS_NOT_FOUND) this.record(status, isWhole);
    this.discardBodies();
    endRoute(this.messages.request);
  }

  private record(status: number, isWhole: boolean): void {
    const durationMs = nowMs() - this.startedMs;
    const { recorder } = this.source.context;
    try {
      const path = routeOf(this.messages.request) ?? this.path;
      const { fCode } = this;
      const methodCode = this.methodCode();
      this.readCode(isWhole, (code) => {
        const httpMethod = this.messages.method;
        recorder.recordInner({ fCode, path, httpStatus: String(status), code, methodCode, httpMethod }, durationMs);
      });
    } catch (error) {
      recorder.failed(this.source.name, error, 'inner');
    }
  }
}
