/** Route templates put together from mount prefixes and routes. */

/**
 * Extends a prefix by the mount path of a router inside.
 * @param prefix without a slash at the end; empty at the root
 * @returns the same form
 */
export function joinPrefixes(prefix: string, mountPath: string): string {
  return mountPath === '/' ? prefix : prefix + mountPath;
}

/**
 * Gives the whole template of a route.
 * @param prefix as {@link joinPrefixes} returns it
 * @param template of the route alone; "/" adds nothing to a prefix
 */
export function joinTemplates(prefix: string, template: string): string {
  return joinPrefixes(prefix, template) || '/';
}

/**
 * What has been taken away from the front of a path before it was matched. It is part of a template where that is
 * literal text, as the mount paths of h3 and Hono are.
 * @param path as it was before
 * @param rest that was matched, "/" where all was taken away
 * @returns a prefix, as {@link joinPrefixes} returns it; empty where the rest is not the end of the path
 */
export function strippedPrefix(path: string, rest: string): string {
  if (path === rest) return '';
  if (!path.endsWith(rest)) return rest === '/' ? path : '';
  // as many slashes as a client likes stand for one where h3 2 takes a prefix away
  return path
    .slice(0, path.length - rest.length)
    .replace(/\/{2,}/g, '/')
    .replace(/\/$/, '');
}
