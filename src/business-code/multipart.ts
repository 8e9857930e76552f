/**
 * The plain fields of a multipart/form-data body, of which at most the first 64 KiB are at hand.
 *
 * Files are passed over. A library for this takes a stream and answers later; here the bytes are bounded and the
 * answer is needed at once. A test holds it equal to @fastify/busboy.
 * @see RFC 7578, RFC 2046 section 5.1
 */

const LINE_END = Buffer.from('\r\n');
const HEADERS_END = Buffer.from('\r\n\r\n');
const PARAMETER = /;\s*([^\s=;]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))/g;
/** Fields looked at in one body. */
const MAX_FIELDS = 1000;

/** @returns the boundary parameter of a Content-Type; undefined when it has none */
export function multipartBoundary(contentType: string): string | undefined {
  return parameter(contentType, 'boundary');
}

/** The fields that stand whole in the bytes, in their order. */
export function multipartFields(body: Buffer, boundary: string): [name: string, value: string][] {
  const fields: [string, string][] = [];
  const delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
  // the first delimiter may stand at the very start, without the line break of the others
  let at = body.indexOf(delimiter.subarray(2)) === 0 ? delimiter.length - 2 : afterIndex(body, delimiter, 0);
  while (at >= 0 && fields.length < MAX_FIELDS) {
    const lineEnd = body.indexOf(LINE_END, at);
    // behind the last part stands "--" instead of white space
    if (lineEnd < 0 || body.toString('latin1', at, lineEnd).trim() !== '') break;
    // a part without headers begins with the empty line itself
    const headersEnd = body.indexOf(HEADERS_END, lineEnd);
    const next = headersEnd < 0 ? -1 : body.indexOf(delimiter, headersEnd + 2);
    if (next < 0) break;
    const name = fieldName(body.toString('utf8', lineEnd, headersEnd));
    if (name !== undefined) fields.push([name, body.toString('utf8', headersEnd + HEADERS_END.length, next)]);
    at = next + delimiter.length;
  }
  return fields;
}

function afterIndex(body: Buffer, text: Buffer, from: number): number {
  const index = body.indexOf(text, from);
  return index < 0 ? -1 : index + text.length;
}

/** The name in a part's headers; undefined for a file or a part without a name. */
function fieldName(headers: string): string | undefined {
  const disposition = /^content-disposition[ \t]*:(.*)$/im.exec(headers)?.[1];
  if (disposition === undefined || parameter(disposition, 'filename') !== undefined) return undefined;
  if (parameter(disposition, 'filename*') !== undefined) return undefined;
  return parameter(disposition, 'name');
}

/** Parameters are walked one after another, so that the text in a quoted one is not taken for another. */
function parameter(header: string, name: string): string | undefined {
  for (const [, key, quoted, token] of header.matchAll(PARAMETER)) {
    if (key?.toLowerCase() === name) return quoted?.replace(/\\(["\\])/g, '$1') ?? token;
  }
  return undefined;
}
