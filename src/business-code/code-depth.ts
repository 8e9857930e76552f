/**
 * How deep in an answer its code may stand, by path: in some applications a field named `code` deep in the answer is
 * data and no business code.
 */
import { wildcard } from '../runtime/wildcard';

/** A code at any depth counts. */
export const ANY_DEPTH = Number.POSITIVE_INFINITY;

/** The setting. */
export interface CodeDepths {
  /** For paths that no pattern matches. */
  readonly otherwise: number;
  /** The first that matches counts. */
  readonly patterns: readonly (readonly [pattern: string, depth: number])[];
}

/** @param path as in the label. @returns the deepest that counts; keys of the outermost object stand at 1 */
export type CodeDepth = (path: string) => number;

/** Paths whose depth is remembered; a service has fewer routes. */
const MAX_REMEMBERED = 1_000;

/** @returns undefined where every code counts */
export function codeDepth({ otherwise, patterns }: CodeDepths): CodeDepth | undefined {
  if (patterns.length === 0) return otherwise === ANY_DEPTH ? undefined : () => otherwise;
  const compiled = patterns.map(([pattern, depth]) => ({ matches: wildcard(pattern), depth }));
  const remembered = new Map<string, number>();
  return (path) => {
    const known = remembered.get(path);
    if (known !== undefined) return known;
    const depth = compiled.find(({ matches }) => matches(path))?.depth ?? otherwise;
    if (remembered.size < MAX_REMEMBERED) remembered.set(path, depth);
    return depth;
  };
}
