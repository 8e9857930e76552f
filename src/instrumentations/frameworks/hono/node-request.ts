/** Node's request behind a request of the Fetch API, which Hono knows alone. */
import type { HonoContext } from './hono-route';

/** As @hono/node-server calls the symbol under which its own kind of Request keeps Node's. */
const INCOMING = 'incomingKey';

/** That of the copy of @hono/node-server that was met last: each has its own. */
let incomingKey: symbol | undefined;

/**
 * @hono/node-server hands Node's request to `fetch` as a binding, which an application that wraps `fetch` may leave out;
 * then the Request itself is asked, of @hono/node-server or of srvx.
 * @returns undefined for a Request that the application has made
 */
export function nodeRequestOf(context: HonoContext): object | undefined {
  const incoming = context.env?.incoming;
  if (isObject(incoming)) return incoming;
  const { raw } = context.req;
  const ofSrvx = (raw.runtime as { node?: { req?: unknown } } | undefined)?.node?.req;
  if (isObject(ofSrvx)) return ofSrvx;
  if (incomingKey === undefined || !(incomingKey in raw)) {
    incomingKey = Object.getOwnPropertySymbols(raw).find(({ description }) => description === INCOMING);
  }
  const own = incomingKey && raw[incomingKey];
  return isObject(own) ? own : undefined;
}

function isObject(candidate: unknown): candidate is object {
  return typeof candidate === 'object' && candidate !== null;
}
