/**
 * Reads and checks a partner directory: a JSON or YAML file, or an object from `start()`. Every problem is reported,
 * with its place in the file; a directory with problems is not used at all.
 *
 * The shape is published as schema/partners.schema.json; a test holds this check equal to it.
 */
import { readFileSync, statSync } from 'node:fs';
import { nearest, type Problem, type ProblemCode, problem } from '../errors';
import type { PartnerHost } from './directory';
import { type HostName, hostKey, parseHostName } from './host-name';
import { covers, isPattern, pathFault } from './path-pattern';

export type PartnerHosts = readonly PartnerHost[];

/** What loading gives: the hosts, or what is wrong. With problems the hosts are not to be used. */
export interface Loaded {
  readonly hosts: PartnerHosts;
  readonly problems: readonly Problem[];
}

/** Keys from the root of the directory to a value. */
type Path = readonly (string | number)[];
/** Says where a value stands, such as `partners.yaml:4:9`. */
type Locate = (path: Path) => string;

/** A larger file is taken for a mistake. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;
/** YAML aliases resolved in one file: enough for shared tables, too few for an alias bomb. */
const MAX_YAML_ALIASES = 100;
/** Problems reported of one file; the rest is counted. */
const MAX_PROBLEMS = 50;

const FILE_REMEDY = 'Mend the file, or unset CHANNEL_EXPORTER_PARTNERS.';

/** Reads the partner file at a path. Does not throw. */
export function readPartnerFile(file: string): Loaded {
  let text: string;
  try {
    const stat = statSync(file);
    // reading a pipe or a device could block the start for ever
    if (!stat.isFile()) throw new Error('it is not a file');
    if (stat.size > MAX_FILE_BYTES) throw new Error(`it has ${stat.size} bytes, more than ${MAX_FILE_BYTES}`);
    text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    return failed('CHX_PARTNERS_UNREADABLE', {
      wrong: `the partner file cannot be read: ${(error as Error).message}`,
      got: file,
      expected: `a file of UTF-8 text, at most ${MAX_FILE_BYTES} bytes`,
      remedy: 'Check the path and its permissions; a relative path starts from the working directory.',
    });
  }
  return parsePartnerText(text, file);
}

/**
 * Parses a directory's text, JSON being YAML as well.
 * @param file its name, for messages
 */
export function parsePartnerText(text: string, file: string): Loaded {
  // loaded only where there is a partner file: it would be a quarter of the start-up time of every service
  const yaml: typeof import('yaml') = require('yaml');
  const lines = new yaml.LineCounter();
  const document = yaml.parseDocument(text, {
    lineCounter: lines,
    version: '1.2',
    schema: 'core',
    prettyErrors: false,
  });
  if (document.errors.length > 0) {
    return limited(
      document.errors.map((error) => {
        const { line, col } = lines.linePos(error.pos[0]);
        return problem('CHX_PARTNERS_SYNTAX', {
          wrong: `${file}:${line}:${col} is neither JSON nor YAML: ${error.message}`,
          expected: 'a JSON or YAML text whose keys are unique',
          remedy: FILE_REMEDY,
        });
      }),
    );
  }
  keepDigits(yaml, document);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: MAX_YAML_ALIASES });
  } catch (error) {
    return failed('CHX_PARTNERS_SYNTAX', {
      wrong: `${file} cannot be used: ${(error as Error).message}`,
      expected: `at most ${MAX_YAML_ALIASES} aliases`,
      remedy: FILE_REMEDY,
    });
  }
  const locate: Locate = (path) => {
    for (let end = path.length; end > 0; end--) {
      const node = document.getIn(path.slice(0, end), true);
      if (yaml.isNode(node) && node.range) {
        const { line, col } = lines.linePos(node.range[0]);
        return `${file}:${line}:${col}`;
      }
    }
    return file;
  };
  return parsePartnerDirectory(value, locate);
}

/** An integer is a code as it is written: `0120` is not 120, and a long one keeps every digit. */
function keepDigits(yaml: typeof import('yaml'), document: import('yaml').Document): void {
  yaml.visit(document, {
    Scalar(_key, node) {
      if (typeof node.value === 'number' && node.source !== undefined && /^-?\d+$/.test(node.source)) {
        node.value = node.source;
      }
    },
  });
}

/**
 * Checks a directory.
 * @param value the object with `hosts`
 * @param locate says where in the file a value stands
 */
export function parsePartnerDirectory(value: unknown, locate: Locate = () => 'partners'): Loaded {
  const check = new Check(locate);
  const hosts = check.directory(value);
  return check.problems.length > 0 ? limited(check.problems) : { hosts, problems: [] };
}

/** One pass over a directory, collecting what is wrong with it. */
class Check {
  readonly problems: Problem[] = [];
  private readonly claimed = new Map<string, string>();

  constructor(private readonly locate: Locate) {}

  directory(value: unknown): PartnerHost[] {
    const root = this.record(value, [], 'the directory', ['hosts', '$schema']);
    if (root === undefined) return [];
    if (!Object.hasOwn(root, 'hosts')) {
      this.report('CHX_PARTNERS_SHAPE', [], {
        wrong: 'the directory has no hosts',
        expected: '{ "hosts": { "pay.example.com": { "partner": "12", "paths": { "/v1/pay": "1201" } } } }',
        remedy: 'Put the hosts under the key "hosts".',
      });
      return [];
    }
    const hosts = this.record(root.hosts, ['hosts'], 'hosts');
    if (hosts === undefined) return [];
    return Object.entries(hosts).flatMap(([name, entry]) => this.host(name, entry) ?? []);
  }

  private host(name: string, value: unknown): PartnerHost | undefined {
    const at: Path = ['hosts', name];
    const hostName = this.hostName(name, at, 'the host');
    const entry = this.record(value, at, `host ${name}`, ['partner', 'paths', 'aliases']);
    if (entry === undefined) return undefined;
    const names = hostName === undefined ? [] : [hostName];
    names.push(...this.aliases(entry.aliases, [...at, 'aliases']));
    const partner = this.code(entry.partner, [...at, 'partner'], `the partner code of ${name}`);
    const paths = this.paths(entry.paths, [...at, 'paths'], name);
    return { names, partner, paths };
  }

  private aliases(value: unknown, at: Path): HostName[] {
    if (value === undefined) return [];
    if (!Array.isArray(value)) {
      this.report('CHX_PARTNERS_SHAPE', at, {
        wrong: 'the aliases are not a list',
        got: value,
        expected: 'a list of hosts, such as ["10.0.0.7:8443"]',
        remedy: 'Write them in brackets.',
      });
      return [];
    }
    return value.flatMap((alias, index) => this.hostName(alias, [...at, index], 'the alias') ?? []);
  }

  private hostName(text: unknown, at: Path, what: string): HostName | undefined {
    const parsed = typeof text === 'string' ? parseHostName(text) : { fault: 'it is not a string' };
    if ('fault' in parsed) {
      this.report('CHX_PARTNER_HOST', at, {
        wrong: `${what} cannot be used: ${parsed.fault}`,
        got: text,
        expected: 'host or host:port, such as pay.example.com:8443 or [2001:db8::1]:8443',
        remedy: 'Leave out scheme, user info and path; paths belong under "paths".',
      });
      return undefined;
    }
    const key = hostKey(parsed);
    const holder = this.claimed.get(key);
    if (holder !== undefined) {
      this.report('CHX_PARTNER_ALIAS', at, {
        wrong: `${what} is claimed twice, first at ${holder}`,
        got: text,
        expected: 'every host and alias once',
        remedy: 'Remove one of the two.',
      });
      return undefined;
    }
    this.claimed.set(key, this.locate(at));
    return parsed;
  }

  private paths(value: unknown, at: Path, host: string): [string, string][] {
    if (value === undefined) return [];
    const entries = this.record(value, at, `the paths of ${host}`);
    if (entries === undefined) return [];
    const patterns: string[] = [];
    return Object.entries(entries).flatMap(([path, code]): [string, string][] => {
      const place = [...at, path];
      const earlier = isPattern(path) ? patterns.find((pattern) => covers(pattern, path)) : undefined;
      const fault = pathFault(path) ?? (earlier && `everything it matches is taken by ${earlier} before it`);
      if (fault !== undefined) {
        this.report('CHX_PARTNER_PATTERN', place, {
          wrong: `the path can never match: ${fault}`,
          got: path,
          expected: 'a path as it is sent, such as /v1/pay, /v1/orders/:id or /static/*',
          remedy: 'Correct it, or move the wider pattern behind the narrower one.',
        });
        return [];
      }
      if (isPattern(path)) patterns.push(path);
      return [[path, this.code(code, place, `the action code of ${path}`)]];
    });
  }

  private code(value: unknown, at: Path, what: string): string {
    if (typeof value === 'string') return value;
    if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
    this.report('CHX_PARTNER_CODE', at, {
      wrong: value === undefined ? `${what} is missing` : `${what} is not a code`,
      ...(value === undefined ? {} : { got: value }),
      expected: 'a string or an integer; "" where there is none',
      remedy: 'Write it in quotes.',
    });
    return '';
  }

  /** An object with no other keys than the known ones, where those are given. */
  private record(
    value: unknown,
    at: Path,
    what: string,
    known?: readonly string[],
  ): Record<string, unknown> | undefined {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.report('CHX_PARTNERS_SHAPE', at, {
        wrong: `${what} is not an object`,
        got: value,
        expected: 'an object',
        remedy: 'See the example in the README.',
      });
      return undefined;
    }
    for (const key of known === undefined ? [] : Object.keys(value)) {
      if (known?.includes(key)) continue;
      const near = nearest(key, known ?? []);
      this.report('CHX_PARTNER_KEY', [...at, key], {
        wrong: `${what} has an unknown key`,
        got: key,
        expected: `${known?.join(', ')}`,
        remedy: near === undefined ? 'Remove it.' : `Did you mean ${near}?`,
      });
    }
    return value as Record<string, unknown>;
  }

  private report(code: ProblemCode, at: Path, what: Parameters<typeof problem>[1]): void {
    this.problems.push(problem(code, { ...what, wrong: `${this.locate(at)}: ${what.wrong}` }));
  }
}

function failed(code: ProblemCode, what: Parameters<typeof problem>[1]): Loaded {
  return { hosts: [], problems: [problem(code, what)] };
}

function limited(problems: readonly Problem[]): Loaded {
  if (problems.length <= MAX_PROBLEMS) return { hosts: [], problems };
  const rest = problem('CHX_PARTNERS_SHAPE', {
    wrong: `${problems.length - MAX_PROBLEMS} more problems in the partner file`,
    expected: 'none',
    remedy: FILE_REMEDY,
  });
  return { hosts: [], problems: [...problems.slice(0, MAX_PROBLEMS), rest] };
}
