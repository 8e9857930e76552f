/**
 * Patterns of partner paths: `/orders/:id` (one segment) and `/static/*` (the rest).
 *
 * Paths are compared as sent, not decoded; anything that is not a pattern is compared whole.
 */

/** Whether a path of the file is a pattern rather than an exact path. */
export function isPattern(path: string): boolean {
  return path.includes('*') || path.includes('/:');
}

/** Why a path of the file is of no use, and what to do about it. */
export interface PathFault {
  readonly wrong: string;
  readonly remedy: string;
}

/** What keeps a path of the file from ever matching; undefined when it can match. */
export function pathFault(path: string): PathFault | undefined {
  if (!path.startsWith('/')) {
    return { wrong: 'it can never match, for it does not begin with "/"', remedy: 'Begin it with "/".' };
  }
  if (/[?#]/.test(path)) {
    return { wrong: 'it can never match, for it has a query or a fragment', remedy: 'Keep only what is before it.' };
  }
  if (/[{}]/.test(path)) {
    return {
      wrong: 'a parameter is not written in braces, and a brace in a path is sent as %7B or %7D',
      remedy: `Write ${withColons(path)}.`,
    };
  }
  return isPattern(path) ? segmentFault(segmentsOf(path)) : undefined;
}

/** A path whose parameters are in braces, as OpenAPI writes them, in the spelling of this file. */
function withColons(path: string): string {
  const segments = segmentsOf(path).map((segment) => {
    const name = /^\{([^{}]*)\}$/.exec(segment)?.[1];
    if (name === undefined) return segment.replaceAll('{', '%7B').replaceAll('}', '%7D');
    return `:${name.replace(/\W/g, '_').replace(/^(?=\d|$)/, '_')}`;
  });
  return `/${segments.join('/')}`;
}

function segmentFault(segments: readonly string[]): PathFault | undefined {
  for (const [index, segment] of segments.entries()) {
    if (segment.includes('*') && (segment !== '*' || index !== segments.length - 1)) {
      return {
        wrong: '"*" can only be the whole last segment',
        remedy: 'End the pattern there, or write :name for a single segment.',
      };
    }
    if (segment.startsWith(':') && !/^:[A-Za-z_]\w*$/.test(segment)) {
      return {
        wrong: `"${segment}" is not a parameter: a colon and a name, filling the segment`,
        remedy: 'Write for instance :id, of letters, digits and "_".',
      };
    }
  }
  return undefined;
}

/** Compiles a pattern that has no {@link pathFault}. */
export function compilePattern(path: string): RegExp {
  const source = segmentsOf(path)
    .map((segment) => {
      if (segment === '*') return '.*';
      if (segment.startsWith(':')) return '[^/]+';
      return segment.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    })
    .join('/');
  return new RegExp(`^/${source}$`, 's');
}

/**
 * Whether every path that `later` matches is matched by `earlier` already, so that `later` can never be reached.
 * Both are patterns as {@link segmentsOf} splits them.
 */
export function covers(earlier: readonly string[], later: readonly string[]): boolean {
  for (let index = 0; index < earlier.length; index++) {
    const segment = earlier[index] as string;
    const other = later[index];
    if (segment === '*') return other !== undefined;
    if (other === undefined || other === '*') return false;
    if (segment.startsWith(':') ? other === '' : segment !== other) return false;
  }
  return earlier.length === later.length;
}

/** What stands between the slashes of a path. */
export function segmentsOf(path: string): readonly string[] {
  return path.slice(1).split('/');
}
