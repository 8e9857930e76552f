/** Names of hosts, brought to one spelling: the same server is the same partner. */
import { domainToASCII } from 'node:url';

/** A host as the directory knows it. */
export interface HostName {
  /** Lower case, without brackets and without the dot at the end; internationalised names in punycode. */
  readonly hostname: string;
  /** undefined: the default port of whatever scheme the call uses. */
  readonly port: number | undefined;
}

/** @returns one text per host name, for telling whether two are the same */
export function hostKey({ hostname, port }: HostName): string {
  return `${hostname}:${port ?? ''}`;
}

/**
 * Reads `host` or `host:port` as written in a partner file.
 * @returns the name, or in words what is wrong with it
 */
export function parseHostName(text: string): HostName | { readonly fault: string } {
  if (text.includes('://')) return { fault: 'it has a scheme' };
  if (/[/?#\\]/.test(text)) return { fault: 'it has a path' };
  if (text.includes('@')) return { fault: 'it has user info' };
  if (text === '' || /[\s%]/.test(text)) return { fault: 'it is empty or has a character that no host has' };
  if (text.includes('*')) return { fault: 'a wildcard matches no host, every host is written by itself' };
  if (text.split(':').length > 2 && !text.startsWith('[')) return { fault: 'an IPv6 address needs brackets' };
  const port = text.endsWith(']') ? undefined : /:([^:]*)$/.exec(text)?.[1];
  if (port !== undefined && !isPort(port)) return { fault: 'its port is not 1 to 65535' };
  let hostname: string;
  try {
    hostname = normalizeHostname(new URL(`http://${text}`).hostname);
  } catch {
    return { fault: 'it is no host name' };
  }
  if (!/^[\w.:-]*\w[\w.:-]*$/.test(hostname)) return { fault: 'it is no host name' };
  return { hostname, port: port === undefined ? undefined : Number(port) };
}

/**
 * Lower case, no brackets, no dot at the end, internationalised names in punycode, IPv6 addresses in their short form.
 * Does not throw.
 */
export function normalizeHostname(hostname: string): string {
  let text = hostname.toLowerCase();
  if (text.startsWith('[') && text.endsWith(']')) text = text.slice(1, -1);
  if (text.includes(':')) return shortIpv6(text);
  if (/[^\0-\x7f]/.test(text)) text = domainToASCII(text) || text;
  return text.length > 1 && text.endsWith('.') ? text.slice(0, -1) : text;
}

function shortIpv6(text: string): string {
  try {
    return new URL(`http://[${text}]`).hostname.slice(1, -1);
  } catch {
    // a zone, as in fe80::1%eth0, is no part of a URL
    return text;
  }
}

function isPort(digits: string): boolean {
  return /^\d{1,5}$/.test(digits) && Number(digits) >= 1 && Number(digits) <= 65535;
}
