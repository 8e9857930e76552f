/**
 * The routes of a React Router application, and which of them a path matches.
 *
 * React Router says nothing of its match to whoever called it, so the path is matched again, by its own rules: each way
 * from the root of the tree to a route is a branch, branches are tried by rank, and the first that matches counts. The
 * branches are built once for an application.
 * @see https://github.com/remix-run/react-router, packages/react-router/lib/router/utils.ts
 */

/** A route as `react-router build` writes it. */
export interface BuiltRoute {
  readonly id?: unknown;
  readonly parentId?: string;
  readonly path?: string;
  readonly index?: boolean;
  readonly caseSensitive?: boolean;
}

/** A route with those that it is within, outermost first. */
interface Branch {
  /** As declared, such as `/:lang?/about`. */
  readonly template: string;
  readonly score: number;
  /** Of each route among its siblings. */
  readonly indexes: readonly number[];
  readonly segments: readonly Segment[];
  /** Whether more segments may follow. */
  readonly isSplat: boolean;
  readonly isCaseSensitive: boolean;
}

/** A literal; or a parameter, and what follows it in its segment, as in `:name.xml`. */
interface Segment {
  readonly isParameter: boolean;
  readonly text: string;
}

/** The routes above one, put together. */
interface Above {
  readonly template: string;
  /** With one choice of the optional segments. */
  readonly path: string;
  readonly indexes: readonly number[];
}

/** An optional segment doubles the branches below it; an application with more of them has concrete paths. */
const MAX_BRANCHES = 20_000;
/** Longer paths are not matched, so that no request costs more than its own matching does. */
const MAX_PATH_CHARACTERS = 2048;
const ROOT: Above = { template: '', path: '', indexes: [] };

/** Points of a segment in the rank of its branch. */
const SCORES = { static: 10, partial: 3.5, parameter: 3, index: 2, empty: 1, splat: -2 };

export class RouteBranches {
  /** By rank. */
  private readonly branches: readonly Branch[];

  /**
   * @param routes by id
   * @throws RangeError for too many branches
   */
  constructor(routes: Readonly<Record<string, BuiltRoute | undefined>>) {
    const byParent = new Map<string, BuiltRoute[]>();
    for (const route of Object.values(routes)) {
      if (route === undefined) continue;
      const parent = route.parentId ?? '';
      const siblings = byParent.get(parent);
      if (siblings === undefined) byParent.set(parent, [route]);
      else siblings.push(route);
    }
    const branches: Branch[] = [];
    addBranches(byParent, '', ROOT, branches);
    this.branches = branches.sort(byRank);
  }

  /**
   * @param pathname percent-encoded, without the base name
   * @returns undefined where no route matches
   */
  match(pathname: string): string | undefined {
    if (pathname.length > MAX_PATH_CHARACTERS) return undefined;
    const sent = decoded(segmentsOf(pathname));
    const lowered = sent.map((segment) => segment.toLowerCase());
    return this.branches.find((branch) => matches(branch, branch.isCaseSensitive ? sent : lowered))?.template;
  }
}

function addBranches(
  byParent: ReadonlyMap<string, readonly BuiltRoute[]>,
  parentId: string,
  above: Above,
  branches: Branch[],
): void {
  for (const [index, route] of (byParent.get(parentId) ?? []).entries()) {
    for (const own of withoutOptional(route.path ?? '')) {
      const path = join(above.path, relativeTo(above.path, own));
      const declared = relativeTo(above.template, route.path ?? '');
      const template = declared === '' ? above.template : join(above.template, declared);
      const here: Above = { template, path, indexes: [...above.indexes, index] };
      // children before their parent, as siblings of the same rank keep this order
      if (typeof route.id === 'string' && route.id !== '') addBranches(byParent, route.id, here, branches);
      // a route without a path groups others
      if (route.path === undefined && !route.index) continue;
      if (branches.length >= MAX_BRANCHES) throw new RangeError('too many routes');
      const isCaseSensitive = route.caseSensitive === true;
      branches.push({
        template: template === '' ? '/' : template,
        score: scoreOf(path, route.index === true),
        indexes: here.indexes,
        segments: segmentsOf(path.replace(/\*$/, '')).map((text) =>
          segmentOf(isCaseSensitive ? text : text.toLowerCase()),
        ),
        isSplat: path.endsWith('*'),
        isCaseSensitive,
      });
    }
  }
}

/** Every choice of the segments that end in a question mark, those with the first of them before those without. */
function withoutOptional(path: string): string[] {
  if (!path.includes('?')) return [path];
  const [first = '', ...rest] = path.split('/');
  const isOptional = first.endsWith('?');
  const own = isOptional ? first.slice(0, -1) : first;
  const below = rest.length === 0 ? [''] : withoutOptional(rest.join('/'));
  const joined = below.map((each) => (each === '' ? own : `${own}/${each}`));
  return (isOptional ? [...joined, ...below] : joined).map((each) =>
    each === '' && path.startsWith('/') ? '/' : each,
  );
}

/** A path that begins with a slash is declared with those above it. */
function relativeTo(above: string, path: string): string {
  return path.startsWith('/') && path.startsWith(above) ? path.slice(above.length) : path;
}

function join(above: string, path: string): string {
  return `${above}/${path}`.replace(/\/\/+/g, '/');
}

function scoreOf(path: string, isIndex: boolean): number {
  const segments = path.split('/');
  const hasSplat = segments.includes('*');
  const start = segments.length + (hasSplat ? SCORES.splat : 0) + (isIndex ? SCORES.index : 0);
  return segments.reduce((sum, segment) => sum + segmentScore(segment), start);
}

function segmentScore(segment: string): number {
  if (segment === '*') return 0;
  if (segment === '') return SCORES.empty;
  if (/^:[\w-]+$/.test(segment)) return SCORES.parameter;
  return /^:[\w-]+/.test(segment) ? SCORES.partial : SCORES.static;
}

function segmentOf(text: string): Segment {
  const parameter = /^:[\w-]+/.exec(text);
  return { isParameter: parameter !== null, text: text.slice(parameter?.[0].length ?? 0) };
}

/** Its time grows with the segments of the branch, not with the length of what is sent. */
function matches({ segments, isSplat }: Branch, sent: readonly string[]): boolean {
  if (isSplat ? sent.length < segments.length : sent.length !== segments.length) return false;
  return segments.every(({ isParameter, text }, i) => {
    const own = sent[i] as string;
    return isParameter ? own.length > text.length && own.endsWith(text) : own === text;
  });
}

/** A higher score first; of siblings the earlier one. */
function byRank(a: Branch, b: Branch): number {
  if (a.score !== b.score) return b.score - a.score;
  const areSiblings =
    a.indexes.length === b.indexes.length && a.indexes.slice(0, -1).every((index, i) => index === b.indexes[i]);
  return areSiblings ? (a.indexes.at(-1) ?? 0) - (b.indexes.at(-1) ?? 0) : 0;
}

/** Without the slashes at the end, which have no meaning. */
function segmentsOf(path: string): string[] {
  const segments = path.split('/').slice(1);
  while (segments.at(-1) === '') segments.pop();
  return segments;
}

/** Slashes stay encoded, and all of a malformed path as it is. */
function decoded(segments: readonly string[]): readonly string[] {
  try {
    return segments.map((segment) =>
      segment.includes('%') ? decodeURIComponent(segment).replaceAll('/', '%2F') : segment,
    );
  } catch {
    return segments;
  }
}
