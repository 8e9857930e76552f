/**
 * The interface number among a request's data: query arguments if there are any, else form fields if any, else the
 * body as JSON.
 */
import type { Chunk } from './body-reader';
import { methodCode, methodCodeReader } from './codes';
import { KeptBytes } from './kept-bytes';
import { multipartBoundary, multipartFields } from './multipart';
import { isNamed } from './names';
import { decodeFormText } from './percent-decode';

const METHOD_CODE = 'methodcode';

type Field = readonly [name: string, value: string];

/**
 * Looks through a query or an urlencoded form.
 * @returns the value of the first field so named; undefined when there is no field at all
 */
export function findInQuery(text: string): string | undefined {
  return text === '' ? undefined : findInFields(urlencodedFields(text));
}

function findInFields(fields: readonly Field[]): string | undefined {
  if (fields.length === 0) return undefined;
  return fields.find(([name]) => isNamed(name, METHOD_CODE))?.[1] ?? '';
}

function urlencodedFields(text: string): Field[] {
  return text
    .split('&')
    .filter((chunk) => chunk !== '')
    .map((chunk) => {
      const equals = chunk.indexOf('=');
      const name = equals < 0 ? chunk : chunk.slice(0, equals);
      return [decodeFormText(name), equals < 0 ? '' : decodeFormText(chunk.slice(equals + 1))];
    });
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
 */
export function requestBodyReader(contentType: string, limitBytes: number): RequestBodyReader {
  const mediaType = contentType.split(';', 1)[0]?.trim().toLowerCase();
  if (mediaType === 'application/x-www-form-urlencoded') return new FormReader(limitBytes, urlencodedForm);
  const boundary = mediaType === 'multipart/form-data' ? multipartBoundary(contentType) : undefined;
  if (boundary !== undefined) return new FormReader(limitBytes, (body) => multipartFields(body, boundary));
  return new JsonReader(limitBytes);
}

/** The last field of a body that was cut may be cut itself. */
function urlencodedForm(body: Buffer, isWhole: boolean): Field[] {
  return urlencodedFields(body.toString('utf8', 0, isWhole ? body.length : Math.max(body.lastIndexOf('&'), 0)));
}

class FormReader implements RequestBodyReader {
  private readonly kept: KeptBytes;
  private isCut = false;

  constructor(
    limitBytes: number,
    private readonly fieldsOf: (body: Buffer, isWhole: boolean) => Field[],
  ) {
    this.kept = new KeptBytes(limitBytes);
  }

  push(chunk: Chunk, encoding?: BufferEncoding): void {
    if (this.isCut) return;
    this.isCut = !this.kept.push(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk);
  }

  end(isWhole: boolean): string {
    const found = findInFields(this.fieldsOf(this.kept.bytes(), isWhole && !this.isCut));
    this.discard();
    return found ?? '';
  }

  discard(): void {
    this.isCut = true;
    this.kept.release();
  }
}

/** Request bodies are read as they are sent: the original does not decompress them either. */
class JsonReader implements RequestBodyReader {
  private readonly reader;

  constructor(limitBytes: number) {
    this.reader = methodCodeReader(limitBytes);
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
