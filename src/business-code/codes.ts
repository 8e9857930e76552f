/** What a body's values mean as labels. */
import { type BodyCodes, BodyReader } from './body-reader';
import type { AnswerHead } from './code-reader';
import type { Found } from './json/code-matches';
import { type RpcReader, rpcReaderOf } from './rpc/rpc-reader';
import { methodCodeNames, wantedPlaces } from './wanted-places';

/** No business code could be read. */
export const NO_CODE = '-1';

const INNER_NAMES = ['code'] as const;
const PARTNER_NAMES = ['code', 'errorcode'] as const;

/** How codes are read. */
export interface CodeReading {
  /** Bytes of a body that are read, after decompressing. */
  readonly bodyLimit: number;
  /** Names and paths of the code of an answer to an inbound request; undefined: `code`. The same list for every body. */
  readonly codeFrom?: readonly string[] | undefined;
  /** Names and paths of the interface number of a request, after `method_code`. The same list for every request. */
  readonly methodCodeFrom?: readonly string[] | undefined;
}

/** A reader for the body of an inbound request's response. */
export function innerCodeReader(limitBytes: number, places?: readonly string[]): BodyReader {
  if (places === undefined) return new BodyReader(INNER_NAMES, limitBytes);
  return new BodyReader(wantedPlaces(places), limitBytes, true);
}

/** A reader for the body of a partner's response. @param places where the partner has its code, if it is not usual */
export function partnerCodeReader(limitBytes: number, places?: readonly string[]): BodyReader {
  if (places === undefined) return new BodyReader(PARTNER_NAMES, limitBytes);
  return new BodyReader(wantedPlaces(places), limitBytes, true);
}

/** A reader for the response of an inbound request that calls a remote method; undefined where the response is none of it. */
export function innerRpcReader(head: AnswerHead, limitBytes: number): RpcReader | undefined {
  return rpcReaderOf(head, INNER_NAMES, limitBytes);
}

/** A reader for a partner's response, where that is the answer of a remote method. */
export function partnerRpcReader(head: AnswerHead, limitBytes: number): RpcReader | undefined {
  return rpcReaderOf(head, PARTNER_NAMES, limitBytes);
}

/** A reader for the body of an inbound request. */
export function methodCodeReader(limitBytes: number, places?: readonly string[]): BodyReader {
  return new BodyReader(methodCodeNames(places).places, limitBytes, places !== undefined);
}

/**
 * The first that is not empty; `-1` for what is not JSON, empty for JSON without a code.
 * @param maxDepth asked for a code that is no key of the outermost object; a deeper one is none
 */
export function innerCode({ isJson, found }: BodyCodes, maxDepth?: () => number): string {
  if (!isJson) return NO_CODE;
  for (const each of found) {
    if (each === undefined || each.text === '') continue;
    if (each.depth === 1 || maxDepth === undefined || each.depth <= maxDepth()) return each.text;
  }
  return '';
}

/** The first that is present and not empty, of `code` and `errorcode` by default; else `-1`. */
export function partnerCode({ found }: BodyCodes): string {
  for (const each of found) if (each !== undefined && each.text !== '') return each.text;
  return NO_CODE;
}

/** The first that is not empty, as are the values that count as empty in a request: 0 and false. */
export function methodCode({ found }: BodyCodes): string {
  for (const each of found) if (each !== undefined && !isEmpty(each)) return each.text;
  return '';
}

function isEmpty({ kind, text }: Found): boolean {
  return kind === 'number' ? Number(text) === 0 : kind === 'boolean' ? text === 'false' : text === '';
}
