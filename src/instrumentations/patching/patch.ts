/**
 * Methods replaced in place, and put back where nobody has replaced them since.
 */

// biome-ignore lint/suspicious/noExplicitAny: the methods of other people's objects
type Method = (this: any, ...args: any[]) => any;

/**
 * Replaces a method on an object or prototype, which may inherit it.
 * @param make gets the method that ran so far and whether the patch is in force, and gives the new one; out of force,
 *   it passes calls on: somebody who patched above keeps it reachable, and a later start() patches anew
 * @param inherited what runs where the method is not the target's own; by default, it is looked up by its name
 * @returns a function that ends the patch, and puts the method back where nobody has patched above
 */
export function patchMethod<Target extends object>(
  target: Target,
  name: keyof Target & string,
  make: (original: Method, isInForce: () => boolean) => Method,
  // at each call, so that a patch of the ancestor still has its effect
  inherited: Method = function (...args) {
    return Object.getPrototypeOf(target)[name].apply(this, args);
  },
): () => void {
  const own = Object.getOwnPropertyDescriptor(target, name);
  const before = target[name] as Method;
  let inForce = true;
  const patched = make(own === undefined ? inherited : before, () => inForce);
  imitate(patched, before);
  Object.defineProperty(target, name, {
    value: patched,
    writable: true,
    configurable: true,
    enumerable: own?.enumerable ?? true,
  });
  return () => {
    inForce = false;
    if (target[name] !== (patched as unknown)) return;
    if (own === undefined) delete target[name];
    else Object.defineProperty(target, name, own);
  };
}

/** Gives a patched method the name and length of the one that it stands for. */
export function imitate(patched: object, original: { readonly name: string; readonly length: number }): void {
  Object.defineProperty(patched, 'name', { value: original.name, configurable: true });
  Object.defineProperty(patched, 'length', { value: original.length, configurable: true });
}

/**
 * Shows every chunk that the runtime pushes into one readable stream, without reading it.
 * @param onChunk gets each chunk and, at the end of the stream, null; must not throw
 */
export function observePush(
  stream: import('node:stream').Readable,
  onChunk: (chunk: string | Uint8Array | null, encoding?: BufferEncoding) => void,
): void {
  const push = stream.push;
  // not enumerable, so that a stream printed by the application looks as ever
  Object.defineProperty(stream, 'push', {
    value: function observedPush(this: typeof stream, chunk: unknown, encoding?: BufferEncoding) {
      onChunk(chunk as string | Uint8Array | null, encoding);
      return push.call(this, chunk, encoding);
    },
    writable: true,
    configurable: true,
    enumerable: false,
  });
}
