/** Path and query of a request target, as in the request line (RFC 9112, section 3.2). */

const QUESTION_MARK = 0x3f;
const HASH = 0x23;

/** The path as sent, not decoded; proxies send absolute targets, of which only the path is returned. */
export function rawPath(target: string): string {
  const end = pathEnd(target);
  const beforeQuery = end === target.length ? target : target.slice(0, end);
  if (beforeQuery.startsWith('/')) return beforeQuery;
  const absolute = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/]*/.exec(beforeQuery);
  return absolute === null ? beforeQuery : beforeQuery.slice(absolute[0].length) || '/';
}

/** Position of the first "?" or "#". */
function pathEnd(target: string): number {
  for (let at = 0; at < target.length; at++) {
    const character = target.charCodeAt(at);
    if (character === QUESTION_MARK || character === HASH) return at;
  }
  return target.length;
}

/** The query as sent, without the question mark; empty where there is none. */
export function rawQuery(target: string): string {
  const start = target.indexOf('?');
  return start < 0 ? '' : target.slice(start + 1).replace(/#.*$/s, '');
}
