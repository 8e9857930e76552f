/**
 * Who is on the other side of a call: host to partner, path to action code. Compiled once, looked up per call.
 */

import { compilePattern, isPattern } from '../files/path-pattern';
import { type HostName, normalizeHostname } from './host-name';
import { type EntryMatch, type MatchedPath, Matches } from './matches';
import { PartnerMeanings } from './meanings';
import type { PartnerMisses } from './misses';

/** A host of the partner file, checked. */
export interface PartnerHost {
  /** The host and its aliases. */
  readonly names: readonly HostName[];
  /** Partner code; may be empty. */
  readonly partner: string;
  /** What the partner is called. */
  readonly name?: string;
  /** Business codes that mean success. */
  readonly success?: readonly string[];
  /** Names and paths of the code of an answer; undefined: where it usually stands. */
  readonly codeFrom?: readonly string[];
  /** Exact paths and patterns to action codes, in the order of the file. */
  readonly paths: readonly (readonly [path: string, actionCode: string])[];
}

/** What a lookup finds. */
export interface Partner {
  readonly code: string;
  /** Names and paths of the code of an answer; undefined: where it usually stands. */
  readonly codeFrom?: readonly string[] | undefined;
  /** @param path as sent, without query. @returns undefined when the path is not in the directory */
  actionCode(path: string): string | undefined;
  /** @returns the path or pattern that would match but for a slash at the end */
  nearPath(path: string): string | undefined;
}

interface HostPorts {
  readonly byPort: Map<number, CompiledPartner>;
  /** For entries without a port: calls to the default port of their scheme. */
  defaultPort: CompiledPartner | undefined;
}

/** @param protocol with its colon. @returns undefined for a protocol that is not HTTP */
export function defaultPort(protocol: string): number | undefined {
  if (protocol === 'http:') return 80;
  return protocol === 'https:' ? 443 : undefined;
}

/** A directory that is being compiled, entry by entry, so that a large one can be compiled in steps. */
export class DirectoryDraft {
  readonly hosts = new Map<string, HostPorts>();
  readonly meanings = new PartnerMeanings();
  /** Which entries of the user calls have met. */
  readonly matches = new Matches();

  /** @param entry adds its other names and its paths to an entry before that has its first name */
  add(entry: PartnerHost): void {
    this.compile(entry, this.matches);
  }

  /** Adds an entry of the preset, without the names that are there already. */
  addBelow(entry: PartnerHost): void {
    this.compile({ ...entry, names: entry.names.filter((name) => this.find(name) === undefined) }, undefined);
  }

  private compile(entry: PartnerHost, matches: Matches | undefined): void {
    const [first] = entry.names;
    if (first === undefined) return;
    const partner = this.find(first) ?? new CompiledPartner(entry, matches?.entry(first, entry.partner));
    partner.add(entry.paths);
    for (const name of entry.names) this.set(name, partner);
    this.meanings.add(entry);
  }

  private find({ hostname, port }: HostName): CompiledPartner | undefined {
    const ports = this.hosts.get(hostname);
    return port === undefined ? ports?.defaultPort : ports?.byPort.get(port);
  }

  private set({ hostname, port }: HostName, partner: CompiledPartner): void {
    const ports = this.hosts.get(hostname) ?? { byPort: new Map(), defaultPort: undefined };
    this.hosts.set(hostname, ports);
    if (port === undefined) ports.defaultPort = partner;
    else ports.byPort.set(port, partner);
  }
}

/** The directory in force; {@link PartnerDirectory.use} exchanges its content while calls are under way. */
export class PartnerDirectory {
  private hosts: ReadonlyMap<string, HostPorts>;
  private known: PartnerMeanings;
  private matched: Matches;

  /**
   * @param preset entries below the others: whoever is named by these is theirs alone
   * @param misses is told of calls that meet no entry
   */
  constructor(
    entries: readonly PartnerHost[],
    preset: readonly PartnerHost[] = [],
    readonly misses?: PartnerMisses,
  ) {
    const draft = new DirectoryDraft();
    for (const entry of entries) draft.add(entry);
    for (const entry of preset) draft.addBelow(entry);
    this.hosts = draft.hosts;
    this.known = draft.meanings;
    this.matched = draft.matches;
  }

  /** What the directory in force says of its partners; another object once another one is. */
  get meanings(): PartnerMeanings {
    return this.known;
  }

  /** Which entries of the directory in force calls have met; of a changed file anew. */
  get matches(): Matches {
    return this.matched;
  }

  /** Puts another directory in force for every lookup from now on. */
  use(draft: DirectoryDraft): void {
    this.hosts = draft.hosts;
    this.known = draft.meanings;
    this.matched = draft.matches;
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
    if (ports === undefined) {
      this.misses.host?.(name);
      return;
    }
    const some = ports.defaultPort ?? ports.byPort.values().next().value;
    this.misses.port(name, port, { partner: some?.code ?? '', hasDefault: ports.defaultPort !== undefined });
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

class CompiledPartner implements Partner {
  private readonly exact = new Map<string, MatchedPath>();
  private readonly patterns: { readonly expression: RegExp; readonly path: MatchedPath }[] = [];
  readonly code: string;
  readonly codeFrom: readonly string[] | undefined;

  /** @param match absent for an entry of the preset, of which nobody knows whether it is called at all */
  constructor(
    { partner, codeFrom }: PartnerHost,
    private readonly match: EntryMatch | undefined,
  ) {
    this.code = partner;
    this.codeFrom = codeFrom;
  }

  add(paths: PartnerHost['paths']): void {
    for (const [text, actionCode] of paths) {
      const path = { text, actionCode, isMatched: false };
      this.match?.add(path);
      if (isPattern(text)) this.patterns.push({ expression: compilePattern(text), path });
      else this.exact.set(text, path);
    }
  }

  actionCode(path: string): string | undefined {
    const found = this.pathOf(path);
    this.match?.met(found);
    return found?.actionCode;
  }

  /** A slash at the end is the usual difference between two spellings of a path. */
  nearPath(path: string): string | undefined {
    return this.pathOf(path.endsWith('/') ? path.slice(0, -1) : `${path}/`)?.text;
  }

  private pathOf(path: string): MatchedPath | undefined {
    return this.exact.get(path) ?? this.patterns.find(({ expression }) => expression.test(path))?.path;
  }
}
