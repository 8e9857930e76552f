/**
 * Methods replaced in place, and put back where nobody has replaced them since.
 */

// biome-ignore lint/suspicious/noExplicitAny: the methods of other people's objects
type Method = (this: any, ...args: any[]) => any;
// biome-ignore lint/suspicious/noExplicitAny: the objects of other people
type Getter = (this: any) => unknown;

/**
 * Replaces a method on an object or prototype, which may inherit it.
 * @param make gets the method that ran so far and whether the patch is in force, and gives the new one; when it is not
 *   in force it passes calls on, because whoever patched above still calls it; a later start() patches anew
 * @param inherited what runs where the method is not the target's own; by default, it is looked up by its name
 * @returns a function that ends the patch, and puts the method back where nobody has patched above
 */
export function patchMethod<Target extends object>(
  target: Target,
  name: keyof Target & (string | symbol),
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

/**
 * Replaces the getter of an accessor of a prototype, for good.
 * @param make gets the getter that ran so far, and gives the new one
 */
export function patchGetter(prototype: object, name: string, make: (original: () => unknown) => Getter): void {
  const accessor = Object.getOwnPropertyDescriptor(prototype, name);
  if (accessor?.get === undefined) return;
  Object.defineProperty(prototype, name, { ...accessor, get: make(accessor.get) });
}

/** Of functions in sloppy mode, by the engine: they describe the call that is under way. */
const OF_THE_ENGINE: ReadonlySet<PropertyKey> = new Set(['arguments', 'caller']);

/**
 * Gives a function every own property of the one that it replaces: name, length, prototype, `util.promisify.custom`, and
 * the marks by which other agents recognize what they have wrapped.
 */
export function imitate(patched: object, original: object): void {
  for (const key of Reflect.ownKeys(original)) {
    if (OF_THE_ENGINE.has(key)) continue;
    Reflect.defineProperty(patched, key, Object.getOwnPropertyDescriptor(original, key) as PropertyDescriptor);
  }
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
