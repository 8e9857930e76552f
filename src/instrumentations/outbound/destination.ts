/** Whom an outbound call reaches, by the partner directory: asked alike for metrics and for spans. */
import type { Partner, PartnerDirectory } from '../../partners/directory';

/** What decides it; the port, which takes some finding, is asked for only where the host is known. */
export interface Call {
  readonly method: string | undefined;
  /** With its colon, as `https:`. */
  readonly protocol: string;
  readonly hostname: string;
  /** As sent; a whole URL where the call goes through a forward proxy. */
  readonly path: string;
  /** @returns undefined for the default of the protocol */
  port(): number | undefined;
}

export interface Destination {
  /** Partner code. */
  readonly partner: string;
  /** Empty when the path is not in the directory. */
  readonly actionCode: string;
}

/** Scheme and authority of a target in absolute form. */
const ORIGIN = /^https?:\/\/[^/?#]*/i;

/** @returns undefined for a host outside the directory */
export function findDestination(partners: PartnerDirectory, call: Call): Destination | undefined {
  // a tunnel is no exchange: what goes through it is none of this process's HTTP, or is a call of its own
  if (call.method === 'CONNECT') return undefined;
  const target = proxied(call.path);
  const hostname = target?.hostname ?? call.hostname;
  if (!partners.knowsHost(hostname)) return undefined;
  const partner =
    target === undefined
      ? partners.find(call.protocol, hostname, call.port())
      : partners.find(target.protocol, hostname, target.port === '' ? undefined : Number(target.port));
  if (partner === undefined) return undefined;
  const path = target === undefined ? call.path : call.path.replace(ORIGIN, '');
  return destinationOf(partner, path);
}

/** @param target path of the call as sent, with or without query */
export function destinationOf(partner: Partner, target: string): Destination {
  return { partner: partner.code, actionCode: partner.actionCode(until(until(target, '?'), '#')) };
}

/** Without a regular expression, which showed in the profile of a call. */
function until(text: string, end: string): string {
  const at = text.indexOf(end);
  return at < 0 ? text : text.slice(0, at);
}

/** The target of a request through a forward proxy, which is sent as a whole URL in place of the path. */
function proxied(path: string): URL | undefined {
  return !path.startsWith('/') && ORIGIN.test(path) && URL.canParse(path) ? new URL(path) : undefined;
}
