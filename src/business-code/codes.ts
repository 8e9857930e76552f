/** What a body's values mean as labels. */
import { type BodyCodes, BodyReader } from './body-reader';
import type { AnswerHead } from './code-reader';
import { type RpcReader, rpcReaderOf } from './rpc/rpc-reader';

/** No business code could be read. */
export const NO_CODE = '-1';

const INNER_NAMES = ['code'] as const;
const PARTNER_NAMES = ['code', 'errorcode'] as const;
const METHOD_CODE_NAMES = ['methodcode'] as const;

/** A reader for the body of an inbound request's response. */
export function innerCodeReader(limitBytes: number): BodyReader {
  return new BodyReader(INNER_NAMES, limitBytes);
}

/** A reader for the body of a partner's response. */
export function partnerCodeReader(limitBytes: number): BodyReader {
  return new BodyReader(PARTNER_NAMES, limitBytes);
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
export function methodCodeReader(limitBytes: number): BodyReader {
  return new BodyReader(METHOD_CODE_NAMES, limitBytes);
}

/**
 * `-1` for what is not JSON, empty for JSON without a code.
 * @param maxDepth asked for a code that is no key of the outermost object; a deeper one is none
 */
export function innerCode({ isJson, found: [found] }: BodyCodes, maxDepth?: () => number): string {
  if (!isJson) return NO_CODE;
  if (found === undefined || (found.depth > 1 && maxDepth !== undefined && found.depth > maxDepth())) return '';
  return found.text;
}

/** The first of `code` and `errorcode` that is present and not empty, else `-1`. */
export function partnerCode({ found }: BodyCodes): string {
  return found[0]?.text || found[1]?.text || NO_CODE;
}

/** Empty also for the values that count as empty in a request: 0 and false. */
export function methodCode({ found }: BodyCodes): string {
  const value = found[0];
  if (value === undefined) return '';
  const isEmpty =
    value.kind === 'number' ? Number(value.text) === 0 : value.kind === 'boolean' && value.text === 'false';
  return isEmpty ? '' : value.text;
}
