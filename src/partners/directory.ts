/**
 * Who is on the other side of a call: host to partner, path to action code. Compiled once, looked up per call.
 */
import { type HostName, normalizeHostname } from './host-name';
import type { PartnerMisses } from './misses';
import { compilePattern, isPattern } from './path-pattern';

/** A host of the partner file, checked. */
export interface PartnerHost {
  /** The host and its aliases. */
  readonly names: readonly HostName[];
  /** Partner code; may be empty. */
  readonly partner: string;
  /** Exact paths and patterns to action codes, in the order of the file. */
  readonly paths: readonly (readonly [path: string, actionCode: string])[];
}

/** What a lookup finds. */
export interface Partner {
  readonly code: string;
  /** @param path as sent, without query. @returns empty when the path is not in the directory */
  actionCode(path: string): string;
}

interface HostPorts {
  readonly byPort: Map<number, Partner>;
  /** For entries without a port: calls to the default port of their scheme. */
  defaultPort: Partner | undefined;
}

/** @param protocol with its colon. @returns undefined for a protocol that is not HTTP */
export function defaultPort(protocol: string): number | undefined {
  if (protocol === 'http:') return 80;
  return protocol === 'https:' ? 443 : undefined;
}

/** The directory in force; {@link PartnerDirectory.replace} exchanges its content while calls are under way. */
export class PartnerDirectory {
  private hosts = new Map<string, HostPorts>();

  /** @param misses is told of calls that meet no entry */
  constructor(
    entries: readonly PartnerHost[],
    readonly misses?: PartnerMisses,
  ) {
    this.replace(entries);
  }

  /** Puts other entries in force for every lookup from now on. */
  replace(entries: readonly PartnerHost[]): void {
    const hosts = new Map<string, HostPorts>();
    for (const entry of entries) {
      const partner = compilePartner(entry);
      for (const { hostname, port } of entry.names) {
        const ports = hosts.get(hostname) ?? { byPort: new Map(), defaultPort: undefined };
        hosts.set(hostname, ports);
        if (port === undefined) ports.defaultPort = partner;
        else ports.byPort.set(port, partner);
      }
    }
    this.hosts = hosts;
  }

  /**
   * The first question of every outbound call, and for a host outside the directory the only one.
   * @param hostname as the application wrote it
   */
  knowsHost(hostname: string): boolean {
    return this.hosts.has(hostname) || (needsNormalizing(hostname) && this.hosts.has(normalizeHostname(hostname)));
  }

  /**
   * @param protocol with its colon, as `https:`
   * @param port undefined: the default of the protocol
   */
  find(protocol: string, hostname: string, port: number | undefined): Partner | undefined {
    const ports = this.hosts.get(hostname) ?? this.hosts.get(normalizeHostname(hostname));
    if (ports === undefined) return undefined;
    const implied = defaultPort(protocol);
    const actual = port ?? implied;
    if (actual === undefined) return undefined;
    return ports.byPort.get(actual) ?? (actual === implied ? ports.defaultPort : undefined);
  }

  /** Reports a call for which {@link PartnerDirectory.find} has found nothing. */
  missed(hostname: string, port: number | undefined): void {
    if (this.misses === undefined) return;
    const name = normalizeHostname(hostname);
    const ports = this.hosts.get(name);
    if (ports === undefined) this.misses.host?.(name);
    else this.misses.port(name, port, ports.defaultPort !== undefined);
  }
}

const UPPER_A = 65;
const UPPER_Z = 90;
/** In a name of its own, without port: an IPv6 address. */
const COLON = 58;
const LAST_ASCII = 127;

/** Whether a name that was not found could be another spelling of one that is there. */
function needsNormalizing(hostname: string): boolean {
  if (hostname.startsWith('[') || hostname.endsWith('.')) return true;
  for (let i = 0; i < hostname.length; i++) {
    const code = hostname.charCodeAt(i);
    if ((code >= UPPER_A && code <= UPPER_Z) || code === COLON || code > LAST_ASCII) return true;
  }
  return false;
}

function compilePartner(entry: PartnerHost): Partner {
  const exact = new Map(entry.paths.filter(([path]) => !isPattern(path)));
  const patterns = entry.paths
    .filter(([path]) => isPattern(path))
    .map(([path, actionCode]) => ({ expression: compilePattern(path), actionCode }));
  return {
    code: entry.partner,
    actionCode(path) {
      const code = exact.get(path);
      if (code !== undefined) return code;
      return patterns.find(({ expression }) => expression.test(path))?.actionCode ?? '';
    },
  };
}
