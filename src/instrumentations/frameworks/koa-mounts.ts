/**
 * Mounts of koa-mount whose handlers have answered a request that matched no route, such as koa-static.
 *
 * koa-mount sets `ctx.mountPath` where a path begins with its own, and then `ctx.path` each time that the request goes
 * into the mount, on to what comes after it, back, and out of it. Both become accessors on Koa's context; where the
 * request was when it had its answer is noted at these moments. Requests that enter no mount cost nothing.
 */
import { guarded } from '../inbound/routes';

/** The part of Koa's context that is read. */
interface MountedContext {
  readonly req: object;
  readonly res: { readonly headersSent?: unknown };
  readonly response: { readonly _explicitStatus?: unknown };
  readonly body: unknown;
  readonly path: string;
  /** False where a handler answers through node:http itself. */
  readonly respond?: unknown;
}

/** A mount that a request has entered. */
interface Mount {
  /** Its path with those around it, without a slash at the end. */
  readonly prefix: string;
  /** The request's path outside of it. */
  readonly outside: string;
  /** The path in it; undefined until it has been set. */
  inside: string | undefined;
  isIn: boolean;
}

/** The way of one request. */
interface Way {
  /** What `ctx.mountPath` returns. */
  value: unknown;
  readonly mounts: Mount[];
  /** Where the request was when it had its answer; undefined until then. */
  answeredIn: { readonly prefix: string | undefined } | undefined;
  readonly context: MountedContext;
}

const REST = '/*';

const ways = new WeakMap<object, Way>();

/**
 * Patches a context of Koa.
 * @param source under which errors are reported
 */
export function observeMounts(prototype: object, source: string, isEnabled: () => boolean): void {
  const path = Object.getOwnPropertyDescriptor(prototype, 'path');
  const setPath = path?.set;
  if (path?.configurable !== true || setPath === undefined || 'mountPath' in prototype) return;
  Object.defineProperty(prototype, 'mountPath', {
    get(this: MountedContext) {
      return ways.get(this.req)?.value;
    },
    set(this: MountedContext, value: unknown) {
      const way = ways.get(this.req) ?? { value, mounts: [], answeredIn: undefined, context: this };
      way.value = value;
      ways.set(this.req, way);
      if (isEnabled()) guarded(source, () => reached(way, value));
    },
    configurable: true,
    enumerable: false,
  });
  Object.defineProperty(prototype, 'path', {
    ...path,
    set(this: MountedContext, value: unknown) {
      const way = isEnabled() ? ways.get(this.req) : undefined;
      if (way !== undefined) guarded(source, () => moved(way, value));
      setPath.call(this, value);
    },
  });
}

/** Last: the template of the mount whose handler has answered. */
export function answeringMount(request: object): string | undefined {
  const way = ways.get(request);
  if (way === undefined) return undefined;
  const prefix = way.answeredIn === undefined ? placeOf(way) : way.answeredIn.prefix;
  return prefix && prefix + REST;
}

/** First: the path of a request begins with that of a mount. */
function reached(way: Way, mountPath: unknown): void {
  noteAnswer(way);
  const path = String(mountPath).replace(/\/$/, '');
  const prefix = (placeOf(way) ?? '') + path;
  way.mounts.push({ prefix, outside: way.context.path, inside: undefined, isIn: false });
}

/** Second: it goes into a mount or out of it. */
function moved(way: Way, path: unknown): void {
  noteAnswer(way);
  const last = way.mounts.at(-1);
  if (last !== undefined && last.inside === undefined) {
    // a path that the application has set itself is no mount's
    if (typeof path === 'string' && (path === '/' || last.outside.endsWith(path))) {
      last.inside = path;
      last.isIn = true;
    } else way.mounts.pop();
    return;
  }
  const mount = way.mounts.findLast(({ isIn, inside, outside }) => path === (isIn ? outside : inside));
  if (mount !== undefined) mount.isIn = !mount.isIn;
}

function noteAnswer(way: Way): void {
  const { body, respond, res, response } = way.context;
  const hasAnswer = (body ?? undefined) !== undefined || response._explicitStatus === true || res.headersSent === true;
  if (hasAnswer || respond === false) way.answeredIn ??= { prefix: placeOf(way) };
}

/** The mount that the request is in now. */
function placeOf({ mounts }: Way): string | undefined {
  return mounts.findLast(({ isIn }) => isIn)?.prefix;
}
