/**
 * The calls of functions that the application monitors, wrapped by whichever copy of the package, while the exporter
 * runs: a handler of requests is measured until it has answered, under the route that it handles.
 */
import { IncomingMessage, ServerResponse } from 'node:http';
import { toUSVString } from 'node:util';
import { nowMs } from '../../runtime/clock';
import { type ObservedCall, sharedState } from '../../shared-state';
import { whenAnswered } from '../inbound/http1';
import { routeOf } from '../inbound/routes';
import type { Instrumentation, SourceContext } from '../instrumentation';
import { doNoHarm } from '../patching/do-no-harm';

const NAME = 'monitor';

/** The source: takes the calls of every copy while the exporter runs. */
export function createMonitorInstrumentation(): Instrumentation {
  return {
    name: NAME,
    enable(context) {
      sharedState().calls = {
        begin(name, args) {
          return doNoHarm(
            () => new MonitoredCall(context, name, args),
            (error) => context.recorder.failed(NAME, error, 'function'),
          );
        },
      };
    },
    disable() {
      sharedState().calls = undefined;
    },
  };
}

/** The part of a handler's arguments that matters. */
interface Handled {
  readonly request: IncomingMessage;
  /** Of a framework that hands it to the handler. */
  readonly response?: ServerResponse;
  /** Where Express's `next` stands among the arguments. */
  readonly nextIndex?: number;
}

/** One call of a monitored function, from its beginning to its end. */
class MonitoredCall implements ObservedCall {
  readonly args: unknown[];
  private readonly startedMs: number;
  private readonly url: string;
  private readonly response: ServerResponse | undefined;
  private hasEnded = false;

  constructor(
    private readonly context: SourceContext,
    name: string,
    args: unknown[],
  ) {
    const handled = handledBy(args);
    // before it runs: what a middleware leads to is not its own route
    this.url = (handled && routeOf(handled.request)) ?? toUSVString(String(name));
    this.response = handled?.response;
    this.args = handled?.nextIndex === undefined ? args : this.withNext(args, handled.nextIndex);
    this.startedMs = nowMs();
  }

  returned(): void {
    const { response } = this;
    const isOver = response === undefined || response.writableEnded || response.destroyed;
    if (!isOver && whenAnswered(response, () => this.ended(false))) return;
    this.ended(false);
  }

  ended(isFailed: boolean): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.context.recorder.recordCall(this.url, nowMs() - this.startedMs, isFailed);
  }

  /** A handler with callbacks ends when it passes the request on, and fails when it does so with an error. */
  private withNext(args: unknown[], index: number): unknown[] {
    const next = args[index];
    if (typeof next !== 'function') return args;
    const observed = new Proxy(next, {
      apply: (target, self, values: unknown[]) => {
        const [reason] = values;
        this.ended(Boolean(reason) && reason !== 'route' && reason !== 'router');
        return Reflect.apply(target as (...values: unknown[]) => unknown, self, values);
      },
    });
    return args.with(index, observed);
  }
}

/** @returns undefined where the arguments are not those of a handler of Express, Koa, Fastify or node:http */
function handledBy(args: readonly unknown[]): Handled | undefined {
  const [first, second, third] = args;
  if (first instanceof IncomingMessage) return handled(first, second, 2);
  // an error handler of Express
  if (second instanceof IncomingMessage) return handled(second, third, 3);
  if (typeof first !== 'object' || first === null) return undefined;
  // Fastify
  const { raw, req } = first as { raw?: unknown; req?: unknown };
  if (raw instanceof IncomingMessage) return handled(raw, (second as { raw?: unknown } | undefined)?.raw);
  // Koa answers by itself when its middleware is done
  if (req instanceof IncomingMessage && typeof second === 'function') return { request: req };
  return undefined;
}

function handled(request: IncomingMessage, response: unknown, nextIndex?: number): Handled | undefined {
  if (!(response instanceof ServerResponse)) return undefined;
  return nextIndex === undefined ? { request, response } : { request, response, nextIndex };
}
