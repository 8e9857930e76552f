/** The user's directory over the preset: whoever is named by the user is the user's alone. */
import type { PartnerHost } from './directory';
import { hostKey } from './host-name';

/**
 * @param own hosts of the partner file
 * @param preset hosts below it
 * @returns every host name once; a preset host keeps the names that the file does not claim
 */
export function mergeHosts(own: readonly PartnerHost[], preset: readonly PartnerHost[]): PartnerHost[] {
  const claimed = new Set(own.flatMap((host) => host.names.map(hostKey)));
  const rest = preset.flatMap((host) => {
    const names = host.names.filter((name) => !claimed.has(hostKey(name)));
    return names.length === 0 ? [] : [{ ...host, names }];
  });
  return [...own, ...rest];
}
