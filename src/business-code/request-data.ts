/**
 * The interface number (`method_code`) in a request's data: in its query arguments if there are any, else in its form
 * fields if any, else in its body as JSON. Where a setting has further names for it, the first that is not empty counts.
 */
import type { Chunk } from './body-reader';
import { methodCode, methodCodeReader } from './codes';
import { KeptBytes } from './kept-bytes';
import { multipartBoundary, multipartFields } from './multipart';
import { normalizeName } from './names';
import { decodeFormText } from './percent-decode';
import { findField, type Place } from './urlencoded';
import { methodCodeNames } from './wanted-places';

/** Of a value, so many bytes are decoded: more than a label holds, at twelve for a character as the longest escapes. */
const MAX_VALUE_BYTES = 4096;

/**
 * Looks through a query.
 * @param places what is looked for after `method_code`
 * @returns the value of the first field so named; undefined when there is no field at all
 */
export function findInQuery(text: string, places?: readonly string[]): string | undefined {
  if (text === '') return undefined;
  const place = findFields(text, methodCodeNames(places).fields);
  return place && decodeFormText(text.slice(place.start, Math.min(place.end, place.start + MAX_VALUE_BYTES)));
}

function findInForm(body: Buffer, isWhole: boolean, fields: readonly string[]): string {
  // the last field of a body that was cut may itself be cut, so it does not count
  const text = body.toString('latin1', 0, isWhole ? body.length : Math.max(body.lastIndexOf('&'), 0));
  const place = findFields(text, fields);
  return place === undefined ? '' : decodeFormText(valueText(body, place));
}

/** Of the first name that has a value; else as {@link findField}. */
function findFields(text: string, names: readonly string[]): Place | undefined {
  let place: Place | undefined;
  for (const name of names) {
    place = findField(text, name);
    if (place === undefined || place.end > place.start) break;
  }
  return place;
}

function findInMultipart(body: Buffer, boundary: string, names: readonly string[]): string {
  const found = new Array<string | undefined>(names.length);
  for (const field of multipartFields(body.toString('latin1'), boundary)) {
    const at = names.indexOf(normalizeName(field.name));
    if (at < 0 || found[at] !== undefined) continue;
    found[at] = valueText(body, field);
    // the first of them settles it, as a rule the only one
    if (at === 0 && found[0] !== '') break;
  }
  return found.find((value) => value) ?? '';
}

function valueText(body: Buffer, { start, end }: Place): string {
  return body.toString('utf8', start, Math.min(end, start + MAX_VALUE_BYTES));
}

/** Reads the interface number from a request's body as the application receives it. */
export interface RequestBodyReader {
  push(chunk: Chunk, encoding?: BufferEncoding): void;
  /**
   * The number found in what has passed; empty when there is none.
   * @param isWhole false when the body broke off
   */
  end(isWhole: boolean): string;
  /** The body is not wanted any more: in place of {@link RequestBodyReader.end}, after which it does nothing. */
  discard(): void;
}

/**
 * @param contentType the header, or empty
 * @param limitBytes how much of the body is read
 * @param places what is looked for after `method_code`
 */
export function requestBodyReader(
  contentType: string,
  limitBytes: number,
  places?: readonly string[],
): RequestBodyReader {
  const mediaType = contentType.split(';', 1)[0]?.trim().toLowerCase();
  if (mediaType === 'application/x-www-form-urlencoded') {
    return new FormReader(limitBytes, (body, isWhole) => findInForm(body, isWhole, methodCodeNames(places).fields));
  }
  const boundary = mediaType === 'multipart/form-data' ? multipartBoundary(contentType) : undefined;
  if (boundary !== undefined) {
    return new FormReader(limitBytes, (body) => findInMultipart(body, boundary, methodCodeNames(places).fields));
  }
  return new JsonReader(limitBytes, places);
}

class FormReader implements RequestBodyReader {
  private readonly kept: KeptBytes;
  private isCut = false;

  constructor(
    limitBytes: number,
    private readonly findIn: (body: Buffer, isWhole: boolean) => string,
  ) {
    this.kept = new KeptBytes(limitBytes);
  }

  push(chunk: Chunk, encoding?: BufferEncoding): void {
    if (this.isCut) return;
    this.isCut = !this.kept.push(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk);
  }

  end(isWhole: boolean): string {
    const found = this.findIn(this.kept.bytes(), isWhole && !this.isCut);
    this.discard();
    return found;
  }

  discard(): void {
    this.isCut = true;
    this.kept.release();
  }
}

/** Compressed request bodies are not decompressed; the Python package does not either. */
class JsonReader implements RequestBodyReader {
  private readonly reader;

  constructor(limitBytes: number, places: readonly string[] | undefined) {
    this.reader = methodCodeReader(limitBytes, places);
  }

  push(chunk: Chunk, encoding?: BufferEncoding): void {
    this.reader.push(chunk, encoding);
  }

  end(): string {
    let code = '';
    this.reader.end(true, (codes) => {
      code = methodCode(codes);
    });
    return code;
  }

  discard(): void {
    this.reader.discard();
  }
}
