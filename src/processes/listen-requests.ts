/** Reports each server of this process that is about to listen on TCP, before its port is bound. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { isIP, Server } from 'node:net';
import { patchMethod } from '../instrumentations/patching/patch';
import type { Address } from './hub-socket';

const LISTEN_CHANNEL = 'tracing:net.server.listen:asyncStart';
/**
 * Releases of Node that publish LISTEN_CHANNEL, major to first minor. @see https://github.com/nodejs/node/pull/53136
 */
const LISTEN_PUBLISHED_SINCE: Readonly<Record<number, number>> = { 20: 16, 22: 3 };
const ALL_INTERFACES: ReadonlySet<string> = new Set(['', '0.0.0.0', '::']);

/** What a server asks for. */
export interface ListenRequest extends Address {
  readonly server: unknown;
}

/**
 * @param callback must not throw
 * @returns a function that ends it
 */
export function onListenRequest(callback: (request: ListenRequest) => void): () => void {
  const report = (server: unknown, options: readonly unknown[]) => {
    const address = addressOf(options);
    if (address !== undefined) callback({ server, ...address });
  };
  if (!isListeningPublished()) {
    return patchMethod(Server.prototype, 'listen', (original, isInForce) => {
      return function (this: Server, ...args) {
        if (isInForce()) report(this, args);
        return original.apply(this, args);
      };
    });
  }
  const observer = (message: unknown) => {
    const { server, options } = message as { server?: unknown; options?: unknown };
    report(server, [options]);
  };
  subscribe(LISTEN_CHANNEL, observer);
  return () => unsubscribe(LISTEN_CHANNEL, observer);
}

/** Whether two servers with these addresses may be in each other's way; a host name may be any address, port 0 is free. */
export function mayCollide(one: Address, other: Address): boolean {
  if (one.port !== other.port || one.port === 0) return false;
  const [a = '', b = ''] = [one.host, other.host];
  return a === b || [a, b].some((host) => ALL_INTERFACES.has(host) || isIP(host) === 0);
}

function isListeningPublished(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const since = LISTEN_PUBLISHED_SINCE[major];
  return since === undefined ? major > Math.max(...Object.keys(LISTEN_PUBLISHED_SINCE).map(Number)) : minor >= since;
}

/**
 * @param args of listen(): an object, or port and host
 * @returns undefined for a pipe or a local socket, which serves other programs of the machine and not the service's clients
 */
function addressOf([first, second]: readonly unknown[]): Address | undefined {
  if (typeof first === 'string' && !/^\d+$/.test(first)) return undefined;
  const options = typeof first === 'object' && first !== null ? (first as Record<string, unknown>) : { port: first };
  if (options.path !== undefined) return undefined;
  const host = options.host ?? second;
  return { port: Number(options.port ?? 0) || 0, host: typeof host === 'string' ? host : undefined };
}
