/**
 * Checks a partner directory, from a file or as an object from `start()`: every problem is reported; a directory with
 * problems is not used at all.
 *
 * The shape is published as schema/partners.schema.json; a test holds this check equal to it.
 */
import type { Problem } from '../errors';
import { FileCheck, type FileWords } from '../files/check';
import { covers, isPattern, type PathFault, pathFault, segmentsOf } from '../files/path-pattern';
import { shownText } from '../files/shown-text';
import type { Locate, Part, Path } from '../files/yaml-text';
import { CODE_PLACES, isCodePlace, MAX_CODE_PLACES } from './code-places';
import type { PartnerHost } from './directory';
import { type HostName, hostKey, parseHostName } from './host-name';
import { nameFault, successFault } from './meaning-check';

export type PartnerHosts = readonly PartnerHost[];

/** What loading gives: the hosts, or what is wrong. With problems the hosts are not to be used. */
export interface Loaded {
  readonly hosts: PartnerHosts;
  readonly problems: readonly Problem[];
}

/** Patterns are tried one after the other, for each call of a path that is no exact entry. */
const MAX_PATTERNS_PER_HOST = 1000;

export const PARTNER_WORDS: FileWords = {
  whole: 'the partner directory',
  shapeCode: 'CHX_PARTNERS_SHAPE',
  keyCode: 'CHX_PARTNER_KEY',
  page: 'docs/partners.md',
};

/**
 * Checks a directory.
 * @param value the object with `hosts`
 * @param locate says where in the file a value stands
 */
export function parsePartnerDirectory(value: unknown, locate: Locate = () => 'partners'): Loaded {
  const check = new Check(locate);
  const hosts = check.directory(value);
  const problems = check.problems.list();
  return { hosts: problems.length > 0 ? [] : hosts, problems };
}

const HOST_KEYS = ['partner', 'name', 'success', 'codeFrom', 'aliases', 'paths'];

interface Pattern {
  readonly path: string;
  readonly segments: readonly string[];
}

/** One pass over a directory, collecting what is wrong with it. */
class Check extends FileCheck {
  private readonly claimed = new Map<string, () => string>();
  /** Names of partners, by their codes. */
  private readonly named = new Map<string, { readonly name: string; readonly place: () => string }>();

  constructor(locate: Locate) {
    super(PARTNER_WORDS, locate);
  }

  directory(value: unknown): PartnerHost[] {
    const root = this.record(value, [], 'the directory', ['hosts', '$schema']);
    if (root === undefined) return [];
    if (!Object.hasOwn(root, 'hosts')) {
      this.report('CHX_PARTNERS_SHAPE', [], 'value', () => ({
        wrong: 'the directory has no hosts',
        expected: '{ "hosts": { "pay.example.com": { "partner": "12", "paths": { "/v1/pay": "1201" } } } }',
        remedy: 'Put the hosts under the key "hosts".',
      }));
      return [];
    }
    const hosts = this.record(root.hosts, ['hosts'], 'hosts');
    if (hosts === undefined) return [];
    return Object.entries(hosts).flatMap(([name, entry]) => this.host(name, entry) ?? []);
  }

  private host(name: string, value: unknown): PartnerHost | undefined {
    const at: Path = ['hosts', name];
    const hostName = this.hostName(name, at, 'key', 'the host');
    const entry = this.record(value, at, `host ${name}`, HOST_KEYS);
    if (entry === undefined) return undefined;
    const names = hostName === undefined ? [] : [hostName];
    names.push(...this.aliases(entry.aliases, [...at, 'aliases']));
    const partner = this.code(entry.partner, [...at, 'partner'], `the partner code of ${name}`);
    const called = this.partnerName(entry.name, [...at, 'name'], name, partner);
    const success = this.success(entry.success, [...at, 'success'], name);
    const codeFrom = this.codeFrom(entry.codeFrom, [...at, 'codeFrom'], name);
    const paths = this.paths(entry.paths, [...at, 'paths'], name);
    const meaning = { ...(called && { name: called }), ...(success && { success }) };
    return { names, partner, paths, ...meaning, ...(codeFrom && { codeFrom }) };
  }

  /** @param partner code of the partner: its entries have one name */
  private partnerName(value: unknown, at: Path, host: string, partner: string): string | undefined {
    if (value === undefined) return undefined;
    const name = shownText(value);
    if (name === undefined) {
      this.report('CHX_PARTNER_NAME', at, 'value', () => ({ ...nameFault(host), got: value }));
      return undefined;
    }
    const holder = this.named.get(partner);
    if (holder !== undefined && holder.name !== name) {
      this.report('CHX_PARTNER_NAME', at, 'value', () => ({
        wrong: `partner ${partner} has another name already, at ${holder.place()}`,
        got: value,
        expected: 'one name for each partner code',
        remedy: 'Write the same name in both, or leave it out in one of them.',
      }));
    }
    this.named.set(partner, holder ?? { name, place: () => this.locate(at, 'value') });
    return name;
  }

  private success(value: unknown, at: Path, host: string): string[] | undefined {
    if (value === undefined) return undefined;
    const fault = successFault(value, host);
    if (fault !== undefined) {
      this.report('CHX_PARTNER_SUCCESS', at, 'value', () => ({ ...fault, got: value }));
      return undefined;
    }
    return (value as unknown[]).flatMap((item, index) => {
      const code = shownText(item);
      if (code !== undefined) return code;
      this.report('CHX_PARTNER_SUCCESS', [...at, index], 'value', () => ({
        wrong: `a success code of ${host} is not a code`,
        got: item,
        expected: 'a string of 1 to 64 characters that can be seen, or an integer',
        remedy: 'Write it as it stands in the answers, in quotes.',
      }));
      return [];
    });
  }

  private codeFrom(value: unknown, at: Path, host: string): string[] | undefined {
    if (value === undefined) return undefined;
    const given: unknown[] = Array.isArray(value) && value.length <= MAX_CODE_PLACES ? value : [];
    // a key of digits: in a file it is text
    const items = given.map((item) => (Number.isSafeInteger(item) ? String(item) : item));
    const bad = items.findIndex((item) => !isCodePlace(item));
    if (items.length > 0 && bad < 0) return items as string[];
    this.report('CHX_PARTNER_CODE_FROM', bad < 0 ? at : [...at, bad], 'value', () => ({
      wrong: `${bad < 0 ? '' : 'a part of '}codeFrom of ${host} does not say where a code stands`,
      got: bad < 0 ? value : items[bad],
      expected: CODE_PLACES,
      remedy: 'For instance ["error.code", "code"].',
    }));
    return undefined;
  }

  private aliases(value: unknown, at: Path): HostName[] {
    if (value === undefined) return [];
    if (!Array.isArray(value)) {
      this.report('CHX_PARTNERS_SHAPE', at, 'value', () => ({
        wrong: 'the aliases are not a list',
        got: value,
        expected: 'a list of hosts, such as ["10.0.0.7:8443"]',
        remedy: 'Write them in brackets.',
      }));
      return [];
    }
    return value.flatMap((alias, index) => this.hostName(alias, [...at, index], 'value', 'the alias') ?? []);
  }

  private hostName(text: unknown, at: Path, part: Part, what: string): HostName | undefined {
    const parsed = typeof text === 'string' ? parseHostName(text) : { fault: 'it is not a string' };
    if ('fault' in parsed) {
      this.report('CHX_PARTNER_HOST', at, part, () => ({
        wrong: `${what} cannot be used: ${parsed.fault}`,
        got: text,
        expected: 'host or host:port, such as pay.example.com:8443 or [2001:db8::1]:8443',
        remedy: 'Leave out scheme, user info and path; paths belong under "paths".',
      }));
      return undefined;
    }
    const key = hostKey(parsed);
    const holder = this.claimed.get(key);
    if (holder !== undefined) {
      this.report('CHX_PARTNER_ALIAS', at, part, () => ({
        wrong: `${what} is claimed twice, first at ${holder()}`,
        got: text,
        expected: 'every host and alias once',
        remedy: 'Remove one of the two.',
      }));
      return undefined;
    }
    this.claimed.set(key, () => this.locate(at, part));
    return parsed;
  }

  private paths(value: unknown, at: Path, host: string): [string, string][] {
    if (value === undefined) return [];
    const entries = this.record(value, at, `the paths of ${host}`);
    if (entries === undefined) return [];
    const patterns: Pattern[] = [];
    return Object.entries(entries).flatMap(([path, code]): [string, string][] => {
      const place = [...at, path];
      const fault = pathFault(path) ?? this.patternFault(path, patterns);
      if (fault !== undefined) {
        this.report('CHX_PARTNER_PATTERN', place, 'key', () => ({
          wrong: `the path cannot be used: ${fault.wrong}`,
          got: path,
          expected: 'a path as it is sent, such as /v1/pay, /v1/orders/:id or /static/*',
          remedy: fault.remedy,
        }));
        return [];
      }
      if (isPattern(path)) patterns.push({ path, segments: segmentsOf(path) });
      return [[path, this.code(code, place, `the action code of ${path}`)]];
    });
  }

  private patternFault(path: string, earlier: readonly Pattern[]): PathFault | undefined {
    if (!isPattern(path)) return undefined;
    if (earlier.length >= MAX_PATTERNS_PER_HOST) {
      return {
        wrong: `this host has more than ${MAX_PATTERNS_PER_HOST} patterns`,
        remedy: 'Join some of them into a wider pattern, or write exact paths, which may be as many as you like.',
      };
    }
    const segments = segmentsOf(path);
    const wider = earlier.find((pattern) => covers(pattern.segments, segments));
    if (wider === undefined) return undefined;
    return {
      wrong: `it can never match, everything it matches is taken by ${wider.path} before it`,
      remedy: 'Move it before the wider pattern, or remove it.',
    };
  }

  private code(value: unknown, at: Path, what: string): string {
    if (typeof value === 'string') return value;
    if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
    this.report('CHX_PARTNER_CODE', at, 'value', () => ({
      wrong: value === undefined ? `${what} is missing` : `${what} is not a code`,
      ...(value === undefined ? {} : { got: value }),
      expected: 'a string or an integer; "" where there is none',
      remedy: 'Write it in quotes.',
    }));
    return '';
  }
}
