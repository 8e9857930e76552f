/**
 * The request headers that are read, found in one pass.
 *
 * It reads `rawHeaders` and not `headers`: that keeps order and spelling, so that the first of several spellings counts,
 * and Node does not have to build the object.
 */
import { isNamed } from '../../business-code/names';

export interface WantedHeaders {
  /** Value of the first header named User-Agent, with or without dashes. */
  userAgent: string | undefined;
  /** Value of the first header named Method-Code, with or without dashes. */
  methodCode: string | undefined;
  contentType: string;
  /** Whether the request announces a body. */
  hasBody: boolean;
}

const CONTENT_TYPE = 'content-type';
const CONTENT_LENGTH = 'content-length';
const TRANSFER_ENCODING = 'transfer-encoding';

/** @param rawHeaders names and values, alternating */
export function readHeaders(rawHeaders: readonly string[]): WantedHeaders {
  const wanted: WantedHeaders = { userAgent: undefined, methodCode: undefined, contentType: '', hasBody: false };
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    // compares the first letter, and below the length, so that most headers cost one comparison and no string
    switch (name.charCodeAt(0) | 0x20) {
      case 0x75: // u
      case 0x6d: // m
      case 0x2d: // -
      case 0x7f: // _
        if (wanted.userAgent === undefined && isUserAgent(name)) wanted.userAgent = rawHeaders[i + 1];
        else if (wanted.methodCode === undefined && isNamed(name, 'methodcode')) wanted.methodCode = rawHeaders[i + 1];
        break;
      case 0x63: // c
      case 0x74: // t
        readBodyHeader(name, rawHeaders[i + 1] as string, wanted);
        break;
      default:
    }
  }
  return wanted;
}

/** The first two spellings are the usual ones. */
function isUserAgent(name: string): boolean {
  return name === 'User-Agent' || name === 'user-agent' || isNamed(name, 'useragent');
}

function readBodyHeader(name: string, value: string, wanted: WantedHeaders): void {
  switch (name.length) {
    case CONTENT_TYPE.length:
      if (name.toLowerCase() === CONTENT_TYPE) wanted.contentType ||= value;
      break;
    case CONTENT_LENGTH.length:
      if (name.toLowerCase() === CONTENT_LENGTH) wanted.hasBody ||= value !== '0';
      break;
    case TRANSFER_ENCODING.length:
      if (name.toLowerCase() === TRANSFER_ENCODING) wanted.hasBody = true;
      break;
    default:
  }
}
