/**
 * One request that this process answers, in any version of HTTP, from its head to the end of its response, and the one
 * measurement that is made of it.
 */
import { decodePath } from '../../business-code/percent-decode';
import { nowMs } from '../../runtime/clock';
import type { SourceContext } from '../instrumentation';
import { rawPath } from '../request-target';
import { InboundCodes, type InboundMessages } from './codes';
import { endRoute, mountOf, routeOf } from './routes';
import { RpcMethods } from './rpc-methods';

/** `http_status` of a request whose client left before the response was handed to the operating system. */
export const STATUS_CLIENT_LEFT = 499;
const STATUS_NOT_FOUND = 404;

/** Of the process: as the limits of labels, they go over all servers. */
const methods = new RpcMethods();

/** The decoded path of a request: the label `path` where no framework reports a route. */
export function inboundPath(target: string): string {
  return decodePath(rawPath(target));
}

/** What the exchanges of one source have in common. */
export class InboundSource {
  /** Reports an error while a body was read. */
  readonly onFault: (error: unknown) => void;

  /** @param name under which errors are reported */
  constructor(
    readonly name: string,
    readonly context: SourceContext,
  ) {
    this.onFault = (error) => context.recorder.failed(name, error);
  }
}

export class InboundExchange {
  /** The sources call it for every chunk of the two bodies. */
  readonly codes: InboundCodes;
  private readonly startedMs = nowMs();
  private hasFinished = false;

  /** @param path as {@link inboundPath} gives it */
  constructor(
    private readonly source: InboundSource,
    private readonly messages: InboundMessages,
    private readonly path: string,
  ) {
    this.codes = new InboundCodes(messages, source.context, source.onFault);
  }

  /**
   * Last: the exchange is over. Only the first call has an effect, and it does not throw.
   * @param isWhole whether the response came to its end
   */
  finish(status: number, isWhole: boolean): void {
    if (this.hasFinished) return;
    this.hasFinished = true;
    this.codes.end();
    if (status === STATUS_NOT_FOUND) this.countNotFound();
    else this.record(status, isWhole);
    this.codes.discardBodies();
    endRoute(this.messages.request);
  }

  private countNotFound(): void {
    const { recorder } = this.source.context;
    try {
      recorder.unrecorded(routeOf(this.messages.request) === undefined ? 'no_route' : 'not_found');
    } catch (error) {
      recorder.failed(this.source.name, error);
    }
  }

  private record(status: number, isWhole: boolean): void {
    const durationMs = nowMs() - this.startedMs;
    const { recorder, callers, paths, codeDepth } = this.source.context;
    try {
      const { request } = this.messages;
      const route = routeOf(request) ?? mountOf(request);
      const path = route ?? paths.labelOf(this.path);
      const fCode = callers.fCode(this.codes.userAgent);
      const methodCode = this.codes.methodCode();
      const httpMethod = this.messages.method;
      const onCode = (code: string) => {
        const isMethod = route === undefined && methods.admit(this.path, this.codes.rpcOutcome);
        recorder.recordInner(
          {
            fCode,
            path: isMethod ? this.path : path,
            isRoute: isMethod || route !== undefined,
            httpStatus: String(status),
            code,
            methodCode,
            httpMethod,
          },
          durationMs,
        );
      };
      if (codeDepth === undefined) this.codes.readCode(isWhole, onCode);
      else this.codes.readCode(isWhole, onCode, () => codeDepth(path));
    } catch (error) {
      recorder.failed(this.source.name, error, 'inner');
    }
  }
}
