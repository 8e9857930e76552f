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
