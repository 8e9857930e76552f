/** The names in a client's certificate that `client_allowed_sans` is compared with. */
import { isIPv6 } from 'node:net';

/** `kind:value`, the value as a JSON text where it has unusual characters. */
const NAME = /(?:^|, )(DNS|email|IP Address|URI):("(?:[^"\\]|\\.)*"|[^,]*)/y;

/**
 * @param text the extension as X509Certificate shows it
 * @returns whether one of the names is exactly one of those allowed
 */
export function hasAllowedName(text: string | undefined, allowed: readonly string[]): boolean {
  const names = namesIn(text ?? '');
  return allowed.some((name) => names.has(plainAddress(name)));
}

function namesIn(text: string): ReadonlySet<string> {
  const names = new Set<string>();
  NAME.lastIndex = 0;
  for (let found = NAME.exec(text); found !== null; found = NAME.exec(text)) {
    const value = found[2] as string;
    try {
      names.add(plainAddress(value.startsWith('"') ? JSON.parse(value) : value));
    } catch {
      // no text that anyone has allowed
    }
  }
  return names;
}

/** Addresses of IPv6 are written in several ways. */
function plainAddress(name: string): string {
  return isIPv6(name) && !name.includes('%') ? new URL(`http://[${name}]`).hostname.slice(1, -1) : name;
}
