/**
 * Reports the route template of Fastify 4 and 5, with the prefixes of every `register`.
 *
 * Fastify publishes each new instance on a diagnostics channel, also from a bundle. A first `onRequest` hook on it
 * runs after the router has matched and before every hook of the application, so a response from one of those has its
 * route. The hook is synchronous. Fastify 5's channel of the handler publishes too late and traces promises, at a cost.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { observes } from '../../diagnostics/observed';
import { guarded, setRoute } from '../inbound/routes';
import type { Instrumentation } from '../instrumentation';

/** The part of Fastify's request that is read. */
interface FastifyRequest {
  readonly raw: object;
  readonly routeOptions?: { readonly url?: unknown };
  /** Of Fastify 4 before it had `routeOptions`; deprecated later, with a warning at each access. */
  readonly routerPath?: unknown;
  readonly [symbol: symbol]: unknown;
}

/** Fastify's private object for a route, under a symbol that each loaded copy creates. */
interface RouteContext {
  readonly config?: { readonly url?: unknown };
}

interface FastifyInstance {
  addHook(name: 'onRequest', hook: (request: FastifyRequest, reply: unknown, done: () => void) => void): unknown;
}

const NAME = 'fastify';
const INITIALIZATION = 'fastify.initialization';
const CONTEXT_SYMBOL = 'fastify.context';

let isEnabled = false;

export function createFastifyInstrumentation(): Instrumentation {
  return {
    name: NAME,
    enable() {
      isEnabled = true;
      subscribe(INITIALIZATION, onInitialization);
    },
    disable() {
      isEnabled = false;
      unsubscribe(INITIALIZATION, onInitialization);
    },
  };
}

/** First: the application has called `fastify()`. */
function onInitialization(message: unknown): void {
  guarded(NAME, () => {
    const { fastify } = message as { fastify: FastifyInstance };
    const templateOf = createTemplateReader();
    observes(NAME);
    // its name is shown by printRoutes({ includeHooks: true })
    fastify.addHook('onRequest', function channelExporterRoute(request, _reply, done) {
      if (isEnabled) {
        guarded(NAME, () => {
          const template = templateOf(request);
          // a request to a not-found handler has none
          if (typeof template === 'string') setRoute(request.raw, template);
        });
      }
      done();
    });
  });
}

/**
 * Creates the reader of templates for the requests of one instance. The public `routeOptions` is built at each access,
 * which takes up to some microseconds in Fastify 4; the object that it is built from is under a symbol of the request.
 */
function createTemplateReader(): (request: FastifyRequest) => unknown {
  let key: symbol | undefined;
  let isKnown = false;
  return (request) => {
    if (!isKnown) {
      isKnown = true;
      key = Object.getOwnPropertySymbols(request).find(({ description }) => description === CONTEXT_SYMBOL);
    }
    const context = key && (request[key] as RouteContext | undefined);
    if (context?.config !== undefined) return context.config.url;
    return request.routeOptions === undefined ? request.routerPath : request.routeOptions.url;
  };
}
