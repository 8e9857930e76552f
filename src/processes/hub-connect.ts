/**
 * Connects to the socket of the hub without a trace in anybody else's spans.
 *
 * Agents patch `Socket.prototype.connect`, and a connection of ours would be a root span of theirs, with an error where
 * no hub is. So nothing is connected to where no socket is, and the method is taken while the package is loaded, and
 * from under the wrappers that name what they wrap.
 */
import { existsSync } from 'node:fs';
import { Socket } from 'node:net';

/** What shimmer, from which most agents descend, calls the wrapped method. @see https://github.com/othiym23/shimmer */
type Wrapped = typeof Socket.prototype.connect & { readonly __original?: unknown };

/** A wrapper might name itself. */
const MAX_WRAPPERS = 20;

const originalConnect = unwrap(Socket.prototype.connect);

/** Whether anything may listen at a path; a named pipe of Windows has no file to look for. */
export function mayListen(path: string): boolean {
  return process.platform === 'win32' || existsSync(path);
}

/** As net.connect({ path }). */
export function connectUntraced(path: string): Socket {
  const socket = new Socket();
  Reflect.apply(originalConnect, socket, [{ path }]);
  return socket;
}

function unwrap(method: Wrapped): Wrapped {
  let innermost = method;
  for (let depth = 0; depth < MAX_WRAPPERS && typeof innermost.__original === 'function'; depth++) {
    innermost = innermost.__original as Wrapped;
  }
  return innermost;
}
