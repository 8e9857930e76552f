/**
 * Which partner an outbound request reaches: decided here once, for the metrics of every client and for spans.
 *
 * The host that the application calls decides, not what `Host` or `:authority` name: they can be set to anything, and
 * a path to a Unix socket changes no name either. A request through a forward proxy that does not tunnel has a whole
 * URL in place of its path (RFC 9112, section 3.2.2); there the host of that URL decides.
 */
import { defaultPort, type Partner, type PartnerDirectory } from '../../partners/directory';

/** What decides it, as each client knows it. */
export interface OutboundRequest {
  /** As sent. */
  readonly method: string | undefined;
  /** With its colon, as `https:`. */
  readonly protocol: string;
  readonly hostname: string;
  /** As sent. */
  readonly path: string;
  /** Called only for a hostname in the directory. @returns undefined for the default of the protocol */
  port(): number | undefined;
}

export interface Destination {
  /** Partner code. */
  readonly partner: string;
  /** Empty when the path is not in the directory. */
  readonly actionCode: string;
  /** Where the code of the answer stands; undefined: where it usually does. */
  readonly codeFrom: readonly string[] | undefined;
}

/** Scheme, host and port of a URL. */
export interface Origin {
  /** In lower case, with its colon. */
  readonly protocol: string;
  readonly hostname: string;
  /** undefined: the default of the protocol, also where the URL names it. */
  readonly port: number | undefined;
}

/** Scheme and authority; what follows is path, query or fragment. */
const ABSOLUTE = /^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i;
/** The same in their parts, of a URL that needs no decoding. */
const ORIGIN = /^([a-z][a-z\d+.-]*:)\/\/(?:[^/?#\\\s]*@)?(\[[^\]\s]*\]|[^:@/?#\\%\s]+)(?::(\d*))?(?=[/?#]|$)/i;

/** @returns undefined for a request that is no exchange with a host of the directory */
export function findDestination(partners: PartnerDirectory, request: OutboundRequest): Destination | undefined {
  const { method, path } = request;
  // CONNECT asks a proxy for a tunnel. It is no request to the host named in it, nor one to the proxy's own API; the
  // requests inside the tunnel are recorded where they are made.
  if (method === 'CONNECT') return undefined;
  const absolute = path.startsWith('/') ? undefined : ABSOLUTE.exec(path)?.[0];
  if (absolute !== undefined) {
    const target = parseOrigin(absolute);
    if (target === undefined) return undefined;
    const partner = partners.find(target.protocol, target.hostname, target.port);
    if (partner !== undefined) return destinationOf(partners, partner, target.hostname, path.slice(absolute.length));
    partners.missed(target.hostname, target.port);
    return undefined;
  }
  const { protocol, hostname } = request;
  if (!partners.knowsHost(hostname)) {
    partners.misses?.host?.(hostname);
    return undefined;
  }
  const port = request.port();
  const partner = partners.find(protocol, hostname, port);
  if (partner !== undefined) return destinationOf(partners, partner, hostname, path);
  partners.missed(hostname, port);
  return undefined;
}

/** The partner whom a request reaches, for who asks again: nothing is reported of one that reaches none. */
export function findPartner(partners: PartnerDirectory, request: OutboundRequest): Partner | undefined {
  const { path, protocol, hostname } = request;
  const absolute = path.startsWith('/') ? undefined : ABSOLUTE.exec(path)?.[0];
  const target = absolute === undefined ? undefined : parseOrigin(absolute);
  if (target !== undefined) return partners.find(target.protocol, target.hostname, target.port);
  return partners.knowsHost(hostname) ? partners.find(protocol, hostname, request.port()) : undefined;
}

/** What was read last, by the beginning of its URL and the one character that ends it: most calls go where the last one went. */
let latest: { readonly beginning: string; readonly origin: Origin } | undefined;

/**
 * Reads the origin of an absolute URL.
 * @returns undefined for a text that is none
 */
export function parseOrigin(url: string): Origin | undefined {
  if (latest !== undefined && url.startsWith(latest.beginning)) return latest.origin;
  const parts = ORIGIN.exec(url);
  if (parts === null) return URL.canParse(url) ? originOf(new URL(url)) : undefined;
  const [all, protocol = '', hostname = '', port] = parts;
  const origin = originOf({ protocol: protocol.toLowerCase(), hostname, port });
  // no password is kept
  if (all.length < url.length && !all.includes('@')) latest = { beginning: url.slice(0, all.length + 1), origin };
  return origin;
}

/** Origin of a URL that has been parsed, or of an object that has its parts. */
export function originOf({ protocol, hostname, port }: OriginParts): Origin {
  const number = port ? Number(port) : undefined;
  return { protocol, hostname, port: number === defaultPort(protocol) ? undefined : number };
}

interface OriginParts {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: string | number | undefined;
}

function destinationOf(partners: PartnerDirectory, partner: Partner, hostname: string, target: string): Destination {
  // an absolute URL without a path stands for "/"
  const path = until(until(target, '?'), '#') || '/';
  const actionCode = partner.actionCode(path);
  if (actionCode === undefined) partners.misses?.path(hostname, path, partner);
  return { partner: partner.code, actionCode: actionCode ?? '', codeFrom: partner.codeFrom };
}

/** Without a regular expression, which showed in the profile of a call. */
function until(text: string, end: string): string {
  const at = text.indexOf(end);
  return at < 0 ? text : text.slice(0, at);
}
