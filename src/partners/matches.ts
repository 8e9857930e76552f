/**
 * Which hosts and paths of a partner file calls have met. One that none has met may be misspelled, and its calls are
 * then measured under another label, or not at all.
 */
import { type HostName, hostKey } from './host-name';

/** A path or pattern of an entry. */
export interface MatchedPath {
  readonly text: string;
  readonly actionCode: string;
  isMatched: boolean;
}

/** An entry: a host with its aliases. */
export interface EntryMatch {
  /** A path belongs to it. */
  add(path: MatchedPath): void;
  /** A call has met the entry. @param path the one that it has met */
  met(path: MatchedPath | undefined): void;
}

export class Matches {
  private readonly byPartner = new Map<string, Entry[]>();
  private readonly left = { host: 0, path: 0 };

  /** @param name the first of the entry's names */
  entry(name: HostName, partner: string): EntryMatch {
    const entries = this.byPartner.get(partner) ?? [];
    this.byPartner.set(partner, entries);
    const entry = new Entry(hostKey(name).replace(/:$/, ''), this.left);
    entries.push(entry);
    this.left.host++;
    return entry;
  }

  /** How many hosts, and paths, no call has met. */
  get unmatched(): { readonly host: number; readonly path: number } {
    return this.left;
  }

  /**
   * A call of another process has had these labels. Which of several hosts or paths with the same codes it has met
   * cannot be known: all count as met.
   */
  metElsewhere(partner: string, actionCode: string): void {
    for (const entry of this.byPartner.get(partner) ?? []) entry.metCode(actionCode);
  }

  /** Hosts that no call has met, and paths of the others, as far as someone would read them. */
  texts(limit: number): { readonly hosts: string[]; readonly paths: string[] } {
    const hosts: string[] = [];
    const paths: string[] = [];
    for (const entries of this.byPartner.values()) {
      for (const entry of entries) {
        if (!entry.isMet && hosts.length < limit) hosts.push(entry.name);
        if (entry.isMet) paths.push(...entry.unmatchedPaths(limit - paths.length));
      }
    }
    return { hosts, paths };
  }
}

class Entry implements EntryMatch {
  isMet = false;
  private readonly paths: MatchedPath[] = [];
  /** Made when another process reports its first call. */
  private byCode: Map<string, MatchedPath[]> | undefined;

  constructor(
    readonly name: string,
    private readonly left: { host: number; path: number },
  ) {}

  add(path: MatchedPath): void {
    this.paths.push(path);
    this.left.path++;
  }

  met(path: MatchedPath | undefined): void {
    if (!this.isMet) {
      this.isMet = true;
      this.left.host--;
    }
    if (path === undefined || path.isMatched) return;
    path.isMatched = true;
    this.left.path--;
  }

  metCode(actionCode: string): void {
    this.met(undefined);
    if (this.byCode === undefined) {
      this.byCode = new Map();
      for (const path of this.paths) {
        const same = this.byCode.get(path.actionCode);
        if (same === undefined) this.byCode.set(path.actionCode, [path]);
        else same.push(path);
      }
    }
    for (const path of this.byCode.get(actionCode) ?? []) this.met(path);
    // once is enough: whoever reports the code again finds nothing to do
    this.byCode.delete(actionCode);
  }

  unmatchedPaths(limit: number): string[] {
    const texts: string[] = [];
    for (const { text, isMatched } of this.paths) {
      if (texts.length >= limit) break;
      if (!isMatched) texts.push(this.name + text);
    }
    return texts;
  }
}
