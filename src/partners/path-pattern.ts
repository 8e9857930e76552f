/**
 * Patterns of partner paths: `/orders/:id` (one segment) and `/static/*` (the rest).
 *
 * Paths are compared as sent, not decoded; anything that is not a pattern is compared whole.
 */

/** Whether a path of the file is a pattern rather than an exact path. */
export function isPattern(path: string): boolean {
  return path.includes('*') || path.includes('/:');
}

/** What keeps a path of the file from ever matching, in words; undefined when it can match. */
export function pathFault(path: string): string | undefined {
  if (!path.startsWith('/')) return 'it does not begin with "/"';
  if (/[?#]/.test(path)) return 'it has a query or a fragment, and only the path is compared';
  if (!isPattern(path)) return undefined;
  const segments = path.slice(1).split('/');
  for (const [index, segment] of segments.entries()) {
    if (segment.includes('*') && (segment !== '*' || index !== segments.length - 1)) {
      return '"*" can only be the whole last segment';
    }
    if (segment.startsWith(':') && !/^:[A-Za-z_]\w*$/.test(segment)) {
      return `"${segment}" is not a parameter: a colon and a name, filling the segment`;
    }
  }
  return undefined;
}

/** Compiles a pattern that has no {@link pathFault}. */
export function compilePattern(path: string): RegExp {
  const source = path
    .slice(1)
    .split('/')
    .map((segment) => {
      if (segment === '*') return '.*';
      if (segment.startsWith(':')) return '[^/]+';
      return segment.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    })
    .join('/');
  return new RegExp(`^/${source}$`, 's');
}

/** Whether every path that `later` matches is matched by `earlier` already, so that `later` can never be reached. */
export function covers(earlier: string, later: string): boolean {
  const first = earlier.slice(1).split('/');
  const second = later.slice(1).split('/');
  for (const [index, segment] of first.entries()) {
    const other = second[index];
    if (segment === '*') return other !== undefined;
    if (other === undefined || other === '*') return false;
    if (segment.startsWith(':') ? other === '' : segment !== other) return false;
  }
  return first.length === second.length;
}
