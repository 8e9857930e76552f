/**
 * What is wanted of a request's headers, found in one pass over them as they were sent.
 *
 * `rawHeaders` is read and not `headers`: it keeps order and spelling, by which the first of several spellings wins,
 * and reading it does not make Node build the object.
 */
import { isNamed } from '../business-code/names';

export interface WantedHeaders {
  /** Value of the first header named User-Agent, dashes or not. */
  userAgent: string | undefined;
  /** Value of the first header named Method-Code, dashes or not. */
  methodCode: string | undefined;
  contentType: string;
  /** Whether the request announces a body. */
  hasBody: boolean;
}

/** @param rawHeaders names and values in turn */
export function readHeaders(rawHeaders: readonly string[]): WantedHeaders {
  const wanted: WantedHeaders = { userAgent: undefined, methodCode: undefined, contentType: '', hasBody: false };
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    // by the first letter, so that most headers cost one comparison
    switch (name.charCodeAt(0) | 0x20) {
      case 0x75: // u
      case 0x6d: // m
      case 0x2d: // -
      case 0x7f: // _
        if (wanted.userAgent === undefined && isNamed(name, 'useragent')) wanted.userAgent = rawHeaders[i + 1];
        else if (wanted.methodCode === undefined && isNamed(name, 'methodcode')) wanted.methodCode = rawHeaders[i + 1];
        break;
      case 0x63: // c
      case 0x74: // t
        readBodyHeader(name.toLowerCase(), rawHeaders[i + 1] as string, wanted);
        break;
      default:
    }
  }
  return wanted;
}

function readBodyHeader(name: string, value: string, wanted: WantedHeaders): void {
  if (name === 'content-type') wanted.contentType ||= value;
  else if (name === 'content-length') wanted.hasBody ||= value !== '0';
  else if (name === 'transfer-encoding') wanted.hasBody = true;
}
