/**
 * Calls and entries of the partner directory that do not meet: counted, and logged. What is surely a mistake is a warning
 * with the right spelling, everything else is logged at the debug level alone. Each host and path once, up to a bound.
 */
import { isLogged, logLine, warn } from '../diagnostics/log';
import { show } from '../errors';
import type { Matches } from './matches';

/** Texts remembered; what comes after is not reported. */
const MAX_REPORTED = 50;
/** Paths without an entry that are looked at for another spelling, and characters of one that are remembered. */
const MAX_PATHS = 1_000;
const PATH_CHARACTERS = 200;
/** Partners that have a label of their own among the misses. */
const MAX_PARTNERS = 200;
const OTHER = 'other';
/** After that time a service has made most of the calls that it makes. */
export const UNMATCHED_AFTER_MS = 10 * 60_000;

/** `path`: no entry of the partner knows the path; `port`: the host has entries, none with the port. */
export type MissReason = 'path' | 'port';

/** Counts a call. */
export type OnMiss = (partner: string, reason: MissReason) => void;

/** Hosts outside the directory that have a label of their own; one more stands for all others. */
const MAX_UNKNOWN_HOSTS = 50;

/** Told of a host that the directory does not have, once. */
export type OnUnknownHost = (hostname: string) => void;

export interface PartnerMisses {
  /** A host that has no entry; absent where nobody wants to know, because every call to such a host would ask. */
  readonly host?: (hostname: string) => void;
  /** A path of a partner that no entry knows. */
  path(hostname: string, path: string, partner: CalledPartner): void;
  /**
   * A host that has entries, called on a port that none of them has.
   * @param port undefined: the default of the protocol
   */
  port(hostname: string, port: number | undefined, of: HostEntries): void;
  /** Reports what no call has met so far. */
  unmatched(matches: Matches): void;
}

interface CalledPartner {
  readonly code: string;
  /** @returns a path of the entry that is another spelling of this one */
  nearPath(path: string): string | undefined;
}

interface HostEntries {
  readonly partner: string;
  /** Whether an entry has no port, and so stands for the default one. */
  readonly hasDefault: boolean;
}

/** The level of the log is read here, once. */
export function createPartnerMisses(onMiss: OnMiss = () => undefined, onUnknownHost?: OnUnknownHost): PartnerMisses {
  const isDebugging = isLogged('debug');
  const reported = new Set<string>();
  const isFirst = (key: string) => {
    if (reported.has(key) || reported.size >= MAX_REPORTED) return false;
    reported.add(key);
    return true;
  };
  const debug = (what: string) => {
    if (isDebugging && isFirst(what)) logLine('debug', what);
  };
  /** As they are written, so that a call costs one look-up. */
  const unknown = new Set<string>();
  const firstCallTo = (hostname: string) => {
    if (unknown.has(hostname) || unknown.size > MAX_UNKNOWN_HOSTS) return;
    const isOther = unknown.size === MAX_UNKNOWN_HOSTS;
    unknown.add(hostname);
    debug(`calls to ${show(hostname)} are not recorded: no partner entry has this host`);
    onUnknownHost?.(isOther ? OTHER : hostname.toLowerCase());
  };
  const partners = new Set<string>();
  const count = (partner: string, reason: MissReason) => {
    if (!partners.has(partner) && partners.size < MAX_PARTNERS) partners.add(partner);
    onMiss(partners.has(partner) ? partner : OTHER, reason);
  };
  const paths = new Set<string>();
  /** Of hosts whose entries all have a port: one that calls have and entries have not. */
  const otherPorts = new Map<string, string>();
  return {
    ...((isDebugging || onUnknownHost !== undefined) && { host: firstCallTo }),
    path(hostname, path, partner) {
      count(partner.code, 'path');
      const key = `${hostname} ${path}`.slice(0, PATH_CHARACTERS);
      if (paths.size >= MAX_PATHS || paths.has(key)) return;
      paths.add(key);
      const right = partner.nearPath(path);
      if (right === undefined) {
        debug(`calls to ${show(path)} of ${show(hostname)} have no action code: its partner entry has no such path`);
      } else if (isFirst(`${hostname} ${right}`)) {
        const why = `its partner entry has ${show(right)}, and a slash at the end is part of the path`;
        const text = `calls to ${show(path)} of ${hostname} have no action code: ${why}. Add the path as it is called.`;
        warn('CHX_PARTNER_PATH', `${hostname} ${right}`, text);
      }
    },
    port(hostname, port, { partner, hasDefault }) {
      count(partner, 'port');
      // every call to another service of the host comes here
      if (!hasDefault && !isDebugging && otherPorts.has(hostname)) return;
      const host = withPort(hostname, port);
      if (!hasDefault) {
        if (otherPorts.size < MAX_REPORTED) otherPorts.set(hostname, host);
        debug(`calls to ${show(host)} are not recorded: the partner entries of this host have other ports`);
      } else if (isFirst(host)) {
        const why = `the partner entry ${hostname} stands for the default port of http or https alone`;
        warn('CHX_PARTNER_PORT', host, `calls to ${host} are not recorded: ${why}. Add an entry or alias "${host}".`);
      }
    },
    unmatched(matches) {
      const { hosts, paths } = matches.texts(MAX_REPORTED);
      for (const host of hosts) {
        const called = otherPorts.get(host.replace(/:\d+$/, ''));
        if (called !== undefined && isFirst(called)) {
          const why = `the partner entry ${host} has another port, which this process has not called`;
          warn(
            'CHX_PARTNER_PORT',
            called,
            `calls to ${called} are not recorded: ${why}. Add an entry or alias "${called}".`,
          );
        }
      }
      if (!isDebugging) return;
      if (hosts.length > 0)
        logLine('debug', `no call has met the partner entries ${listed(hosts, matches.unmatched.host)}`);
      if (paths.length > 0)
        logLine('debug', `no call has met the paths ${listed(paths, paths.length)} of partner entries`);
    },
  };
}

function withPort(hostname: string, port: number | undefined): string {
  return port === undefined ? hostname : `${hostname}:${port}`;
}

function listed(texts: readonly string[], count: number): string {
  const more = count - texts.length;
  return `${texts.map(show).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
