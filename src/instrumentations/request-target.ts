/** Path and query of a request's target, as it stands in the request line. */

const QUESTION_MARK = 0x3f;
const HASH = 0x23;

/** The path as sent; of an absolute target, as a proxy sends it, the path alone. */
export function rawPath(target: string): string {
  const end = pathEnd(target);
  const beforeQuery = end === target.length ? target : target.slice(0, end);
  if (beforeQuery.startsWith('/')) return beforeQuery;
  const absolute = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/]*/.exec(beforeQuery);
  return absolute === null ? beforeQuery : beforeQuery.slice(absolute[0].length) || '/';
}

/** Where the first "?" or "#" stands. */
function pathEnd(target: string): number {
  for (let at = 0; at < target.length; at++) {
    const character = target.charCodeAt(at);
    if (character === QUESTION_MARK || character === HASH) return at;
  }
  return target.length;
}

/** What stands behind the question mark, as sent; empty where there is none. */
export function rawQuery(target: string): string {
  const start = target.indexOf('?');
  return start < 0 ? '' : target.slice(start + 1).replace(/#.*$/s, '');
}
