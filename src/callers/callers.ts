/** Who calls: the User-Agent of a request to the caller's name, the label `f_code`. Asked once per request. */
import { wildcard } from '../runtime/wildcard';

/** What a callers file holds, checked. */
export interface CallerRules {
  /** User-Agents and patterns to names, in the order of the file. */
  readonly entries: readonly (readonly [pattern: string, name: string])[];
  /** What becomes of a User-Agent that no entry has. */
  readonly rest: CallerRest;
}

/** `kept`: named as without a file. `other`: all of them are one caller. */
export type CallerRest = (typeof CALLER_RESTS)[number];
export const CALLER_RESTS = ['kept', 'other'] as const;

/** Without a file, and with one that names nobody. */
export const NO_CALLER_RULES: CallerRules = { entries: [], rest: 'kept' };

/** Characters of a User-Agent that no entry names; a longer one ends with "...". */
const KEPT_CHARACTERS = 20;
/** Characters of a User-Agent that are compared: those of browsers have up to some 300, and a request may send 16 KiB. */
const COMPARED_CHARACTERS = 512;
/** User-Agents remembered in each of two generations: an application has some dozens of callers. */
const REMEMBERED = 500;
const OTHER = 'other';

interface Pattern {
  readonly name: string;
  matches(userAgent: string): boolean;
}

/** The rules in force; {@link Callers.use} exchanges them while requests are under way. */
export class Callers {
  private exact: ReadonlyMap<string, string> = new Map();
  private patterns: readonly Pattern[] = [];
  private rest: CallerRest = 'kept';
  /** Names of the User-Agents seen last, undefined for those that no entry names; older ones below. */
  private recent = new Map<string, string | undefined>();
  private older: ReadonlyMap<string, string | undefined> = new Map();

  constructor(rules: CallerRules = NO_CALLER_RULES) {
    this.use(rules);
  }

  /** Puts other rules in force for every request from now on. */
  use({ entries, rest }: CallerRules): void {
    this.exact = new Map(entries);
    this.patterns = entries
      .filter(([pattern]) => pattern.includes('*'))
      .map(([pattern, name]) => ({ name, matches: wildcard(pattern) }));
    this.rest = rest;
    this.recent = new Map();
    this.older = new Map();
  }

  /**
   * The label `f_code`.
   * @param userAgent value of the header
   * @returns an empty text where there is none
   */
  fCode(userAgent: string | undefined): string {
    if (!userAgent) return '';
    if (this.exact.size > 0) {
      const name = this.nameOf(userAgent);
      if (name !== undefined) return name;
    }
    if (this.rest === 'other') return OTHER;
    return userAgent.length > KEPT_CHARACTERS ? `${userAgent.slice(0, KEPT_CHARACTERS)}...` : userAgent;
  }

  /** Exact entries come first, then patterns in the order of the file. */
  private nameOf(userAgent: string): string | undefined {
    const isCut = userAgent.length > COMPARED_CHARACTERS;
    const text = isCut ? userAgent.slice(0, COMPARED_CHARACTERS) : userAgent;
    const known = this.recent.get(text);
    if (known !== undefined || this.recent.has(text)) return known;
    const name = this.older.has(text)
      ? this.older.get(text)
      : (this.exact.get(text) ?? this.patterns.find((pattern) => pattern.matches(text))?.name);
    // a part of a string keeps the whole one in memory
    this.remember(isCut ? Buffer.from(text).toString() : text, name);
    return name;
  }

  /** Whoever calls again and again is taken along into the next generation, whatever others make up. */
  private remember(text: string, name: string | undefined): void {
    if (this.recent.size >= REMEMBERED) {
      this.older = this.recent;
      this.recent = new Map();
    }
    this.recent.set(text, name);
  }
}
