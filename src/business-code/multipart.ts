/**
 * The plain fields of a multipart/form-data body, of which at most the first 64 KiB are given.
 *
 * Files are skipped. The libraries for this take a stream and answer later; here the bytes are few and the answer is
 * needed at once. A test compares it with @fastify/busboy.
 * @see RFC 7578, RFC 2046 section 5.1
 */

const LINE_END = '\r\n';
const HEADERS_END = '\r\n\r\n';
const DISPOSITION = /^content-disposition[ \t]*:(.*)$/im;
const PARAMETER = /;\s*([^\s=;]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))/y;
/** Longest boundary: RFC 2046, section 5.1.1. */
const MAX_BOUNDARY_CHARACTERS = 70;
/** Parts looked at in one body. */
const MAX_PARTS = 1000;

/** A field's value: from `start` to `end` of the body. */
export interface MultipartField {
  /** As its bytes stand, one character for each. */
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** @returns the boundary parameter of a Content-Type; undefined when it has none, or none that is allowed */
export function multipartBoundary(contentType: string): string | undefined {
  const boundary = parameters(contentType).get('boundary');
  return boundary !== undefined && boundary.length <= MAX_BOUNDARY_CHARACTERS ? boundary : undefined;
}

/**
 * The fields that stand whole in the bytes, in their order, looked for one by one.
 * @param body one character for each byte
 */
export function* multipartFields(body: string, boundary: string): Generator<MultipartField> {
  const delimiter = `\r\n--${boundary}`;
  // the first delimiter may stand at the very start, without the line break of the others
  let at = body.startsWith(delimiter.slice(2)) ? delimiter.length - 2 : afterIndex(body, delimiter, 0);
  for (let parts = 0; at >= 0 && parts < MAX_PARTS; parts++) {
    const lineEnd = body.indexOf(LINE_END, at);
    // after the last part comes "--" in place of white space
    if (lineEnd < 0 || body.slice(at, lineEnd).trim() !== '') break;
    // a part without headers begins with the empty line itself
    const headersEnd = body.indexOf(HEADERS_END, lineEnd);
    const next = headersEnd < 0 ? -1 : body.indexOf(delimiter, headersEnd + 2);
    if (next < 0) break;
    const name = fieldName(body.slice(lineEnd, headersEnd));
    if (name !== undefined) yield { name, start: headersEnd + HEADERS_END.length, end: next };
    at = next + delimiter.length;
  }
}

function afterIndex(body: string, text: string, from: number): number {
  const index = body.indexOf(text, from);
  return index < 0 ? -1 : index + text.length;
}

/** The name in a part's headers; undefined for a file or a part without a name. */
function fieldName(headers: string): string | undefined {
  const disposition = DISPOSITION.exec(headers)?.[1];
  if (disposition === undefined) return undefined;
  const found = parameters(disposition);
  return found.has('filename') || found.has('filename*') ? undefined : found.get('name');
}

/**
 * The parameters of a header by their names in lower case; the first of a name counts. They are read in order, so that
 * text within a quoted value is not taken for another.
 */
function parameters(header: string): Map<string, string> {
  const found = new Map<string, string>();
  for (let at = header.indexOf(';'); at >= 0; at = header.indexOf(';', at)) {
    PARAMETER.lastIndex = at;
    const [all, key, quoted, token] = PARAMETER.exec(header) ?? [];
    at += all?.length ?? 1;
    if (key === undefined) continue;
    const name = key.toLowerCase();
    if (!found.has(name)) found.set(name, quoted?.replace(/\\(["\\])/g, '$1') ?? (token as string));
  }
  return found;
}
