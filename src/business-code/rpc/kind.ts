/**
 * How the answers of remote methods are told from others: by their content type. Each has its status in another place.
 * @see https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, PROTOCOL-WEB.md beside it, and
 *   https://connectrpc.com/docs/protocol
 */

/**
 * `grpc`: in the trailers; `grpc-web`: in a frame at the end of the body, which for `grpc-web-text` is in base64;
 * `connect`: in the last message of a stream; `proto`: in the HTTP status, as the body is a message of a unary Connect
 * method that has succeeded.
 */
export type RpcKind = 'grpc' | 'grpc-web' | 'grpc-web-text' | 'connect' | 'proto';

const GRPC = 'application/grpc';
const CONNECT = 'application/connect+';
const PROTO = 'application/proto';
/** As libraries write them: looked up, and not taken apart, several times in a call. */
const USUAL: ReadonlyMap<string, RpcKind> = new Map([
  ['application/grpc', 'grpc'],
  ['application/grpc+proto', 'grpc'],
  ['application/grpc-web+proto', 'grpc-web'],
  ['application/grpc-web-text', 'grpc-web-text'],
  ['application/connect+proto', 'connect'],
  ['application/connect+json', 'connect'],
  ['application/proto', 'proto'],
]);
/** Longer names than these are none of ours. */
const NAME_CHARACTERS = 64;

/**
 * @param contentType of a request or of its answer
 * @returns undefined for any other body, such as JSON
 */
export function rpcKindOf(contentType: string | undefined): RpcKind | undefined {
  if (contentType === undefined || !startsLikeOne(contentType)) return undefined;
  const usual = USUAL.get(contentType);
  if (usual !== undefined) return usual;
  const name = (contentType.slice(0, NAME_CHARACTERS).split(';', 1)[0] as string).trim().toLowerCase();
  if (name === PROTO) return 'proto';
  if (name.startsWith(CONNECT)) return 'connect';
  if (!name.startsWith(GRPC)) return undefined;
  const rest = name.slice(GRPC.length);
  if (rest === '' || rest.startsWith('+')) return 'grpc';
  if (rest === '-web' || rest.startsWith('-web+')) return 'grpc-web';
  return rest === '-web-text' || rest.startsWith('-web-text+') ? 'grpc-web-text' : undefined;
}

/** By the letter after `application/`: every request is asked, and most are JSON. */
function startsLikeOne(contentType: string): boolean {
  switch (contentType.charCodeAt('application/'.length) | 0x20) {
    case 0x63: // c
    case 0x67: // g
    case 0x70: // p
      return true;
    default:
      return false;
  }
}
