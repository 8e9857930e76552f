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
  const port = /:(\d*)$/.exec(text)?.[1];
  if (port !== undefined && !isPort(port) && !text.endsWith(']')) return { fault: 'its port is not 1 to 65535' };
  let url: URL;
  try {
    url = new URL(`http://${text}`);
  } catch {
    return {
      fault:
        text.split(':').length > 2 && !text.includes('[') ? 'an IPv6 address needs brackets' : 'it is no host name',
    };
  }
  return { hostname: normalizeHostname(url.hostname), port: port === undefined ? undefined : Number(port) };
}

/** Lower case, punycode, no brackets, no dot at the end. */
export function normalizeHostname(hostname: string): string {
  // a name that cannot be one is left as it is
  let text = (/^[\0-\x7f]*$/.test(hostname) ? '' : domainToASCII(hostname)) || hostname.toLowerCase();
  if (text.startsWith('[') && text.endsWith(']')) text = text.slice(1, -1);
  return text.length > 1 && text.endsWith('.') ? text.slice(0, -1) : text;
}

function isPort(digits: string): boolean {
  return digits.length <= 5 && Number(digits) >= 1 && Number(digits) <= 65535;
}
