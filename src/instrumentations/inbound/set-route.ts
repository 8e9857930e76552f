/**
 * `setRoute()`, and the diagnostics channel for frameworks that know nothing of this package: two ways by which a route
 * comes from elsewhere than the frameworks that are observed here.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest, ServerHttp2Stream } from 'node:http2';
import { warn } from '../../diagnostics/log';
import { show } from '../../errors';
import { sharedState } from '../../shared-state';
import { doNoHarm } from '../patching/do-no-harm';
import { routeFailed, setPublishedRoute } from './routes';

/** Messages are `{ request, template }`, as {@link setRoute} takes them. @see docs/frameworks.md */
export const ROUTE_CHANNEL = 'channel-exporter:route';

/** A label holds 255 characters; a template is kept with its request. */
const MAX_TEMPLATE_CHARACTERS = 1_024;

/**
 * Sets the route template of a request, for the label `path` and for spans, in place of what a framework reports: for a
 * router that is not observed, or where the application knows better.
 *
 * Control characters and lone surrogates become U+FFFD; over 255 characters the value is cut. Call it before the response
 * has been sent; the last call wins. Give a template with names in place of values, `/users/:id`: each text is a series.
 * Without a running exporter and without `channelSpanHooks()` it does nothing. It does not throw: what cannot be used is
 * logged, once a minute.
 * @param request Node's own request object, or one that inherits from it, as Express's does; over HTTP/2 without
 *   request objects, the stream
 * @param template with every mount prefix
 */
export function setRoute(request: IncomingMessage | Http2ServerRequest | ServerHttp2Stream, template: string): void {
  take('setRoute()', request, template, (route) => {
    const shared = sharedState();
    shared.routes ??= new WeakMap();
    shared.routes.set(request, route);
  });
}

let listening = 0;

/**
 * Takes the routes that others publish on {@link ROUTE_CHANNEL} from now on: they go before what is observed of a
 * framework, and {@link setRoute} goes before them.
 * @returns a function that ends it
 */
export function listenForRoutes(): () => void {
  if (listening++ === 0) subscribe(ROUTE_CHANNEL, onRoute);
  return () => {
    if (--listening === 0) unsubscribe(ROUTE_CHANNEL, onRoute);
  };
}

/** It must not throw: Node would end the process for it. */
function onRoute(message: unknown): void {
  doNoHarm(
    () => {
      const { request, template } = (message ?? {}) as { request?: unknown; template?: unknown };
      take(ROUTE_CHANNEL, request, template, (route) => setPublishedRoute(request as object, route));
    },
    (error) => routeFailed(ROUTE_CHANNEL, error),
  );
}

/** @param from for the message. @param keep gets a template that can be used */
function take(from: string, request: unknown, template: unknown, keep: (template: string) => void): void {
  doNoHarm(
    () => {
      if (isRequest(request) && typeof template === 'string' && template !== '') {
        keep(template.slice(0, MAX_TEMPLATE_CHARACTERS));
        return;
      }
      warn('CHX_ROUTE_INVALID', from, () => {
        const what = isRequest(request) ? `the template ${show(template)}` : 'no request';
        return (
          `${from} was given ${what}, and the route of that request stays as it is; expected Node's own request ` +
          '(request.raw in Fastify, ctx.req in Koa) and a text such as /users/:id.'
        );
      });
    },
    (error) => routeFailed(from, error),
  );
}

/** A request of node:http or of HTTP/2's compatibility API has its headers as they came; a stream of HTTP/2 responds. */
function isRequest(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  return 'rawHeaders' in value || typeof (value as { respond?: unknown }).respond === 'function';
}
