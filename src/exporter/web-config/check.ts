/**
 * Checks a web configuration: every problem is reported; one with problems is not used at all. Hashes of passwords are
 * never shown in a message.
 */
import { validateHeaderValue } from 'node:http';
import { dirname } from 'node:path';
import { nearest, type Problem } from '../../errors';
import type { FileWords } from '../../files/check';
import type { Locate } from '../../files/yaml-text';
import { TlsCheck } from './tls-check';
import { NO_WEB_CONFIG, type RateLimit, type WebConfig } from './web-config';

/** What loading gives: the configuration, or what is wrong. With problems it is not to be used. */
export interface LoadedWebConfig {
  readonly config: WebConfig;
  readonly problems: readonly Problem[];
  /** Files that it names, absolute, whether they can be read or not. */
  readonly files: readonly string[];
}

export const WEB_CONFIG_WORDS: FileWords = {
  whole: 'the web configuration',
  shapeCode: 'CHX_WEB_CONFIG_SHAPE',
  keyCode: 'CHX_WEB_CONFIG_KEY',
  page: 'docs/endpoint.md',
};

const KEYS = ['tls_server_config', 'http_server_config', 'basic_auth_users', 'rate_limit'];
/** Headers that may be set, and the values that they may have; undefined: any. */
const HEADERS: Readonly<Record<string, readonly string[] | undefined>> = {
  'Content-Security-Policy': undefined,
  'X-Frame-Options': ['deny', 'sameorigin'],
  'X-Content-Type-Options': ['nosniff'],
  'X-XSS-Protection': undefined,
  'Strict-Transport-Security': undefined,
};
const MAX_HEADER_CHARACTERS = 4_096;
/** They are for a few people and programs; a certificate is for many. */
const MAX_USERS = 100;
const MAX_USER_BYTES = 256;
const HASH = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
/** Of bcrypt; each takes twice the work of the one before. 15 takes three seconds. */
const MIN_COST = 4;
export const MAX_COST = 15;
const MAX_BURST = 1_000_000;
const MS_OF = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/**
 * Checks what a file holds, and reads the files that it names.
 * @param file its absolute path
 * @param locate says where in the file a value stands
 */
export function parseWebConfig(value: unknown, file: string, locate: Locate): LoadedWebConfig {
  const check = new WebConfigCheck(locate, dirname(file));
  const config = check.config(value);
  const problems = check.problems.list();
  return { config: problems.length > 0 ? NO_WEB_CONFIG : config, problems, files: check.files };
}

class WebConfigCheck extends TlsCheck {
  constructor(
    locate: Locate,
    protected override readonly folder: string,
  ) {
    super(WEB_CONFIG_WORDS, locate);
  }

  config(value: unknown): WebConfig {
    // an empty file is one that is being written, and not one that wants no protection
    const root = this.record(value, [], WEB_CONFIG_WORDS.whole, KEYS);
    if (root === undefined) return NO_WEB_CONFIG;
    return {
      tls: this.tls(root.tls_server_config),
      headers: this.http(root.http_server_config),
      users: this.users(root.basic_auth_users),
      rateLimit: this.rateLimit(root.rate_limit),
    };
  }

  private http(value: unknown): WebConfig['headers'] {
    if (value === undefined || value === null) return {};
    const section = this.record(value, ['http_server_config'], 'http_server_config', ['http2', 'headers']);
    // HTTP/1.1 is spoken in any case, and a client that knows both agrees on it
    this.bool(section?.http2, ['http_server_config', 'http2']);
    if (section?.headers === undefined || section.headers === null) return {};
    const at = ['http_server_config', 'headers'];
    const headers = this.record(section.headers, at, 'headers', Object.keys(HEADERS)) ?? {};
    const set: Record<string, string> = {};
    for (const [name, text] of Object.entries(headers)) {
      if (!Object.hasOwn(HEADERS, name) || text === '' || text === null) continue;
      const allowed = HEADERS[name];
      if (isHeaderValue(name, text) && (allowed === undefined || allowed.includes(text))) {
        set[name] = text;
        continue;
      }
      const near = typeof text === 'string' ? nearest(text, allowed ?? []) : undefined;
      this.report('CHX_WEB_HEADER', [...at, name], 'value', () => ({
        wrong: `${name} cannot have this value`,
        got: text,
        expected: allowed?.join(' or ') ?? `a text of at most ${MAX_HEADER_CHARACTERS} characters, without line breaks`,
        remedy: near === undefined ? 'Leave it out to send no such header.' : `Did you mean ${near}?`,
      }));
    }
    return set;
  }

  private users(value: unknown): WebConfig['users'] {
    if (value === undefined || value === null) return [];
    if (typeof value !== 'object' || Array.isArray(value)) {
      // without what is there: hashes are no more to be seen than passwords
      this.report('CHX_WEB_CONFIG_SHAPE', ['basic_auth_users'], 'value', () => ({
        wrong: 'basic_auth_users is not an object',
        expected: 'names and hashes, such as alice: $2y$10$…',
        remedy: `See the example in ${WEB_CONFIG_WORDS.page}.`,
      }));
      return [];
    }
    const entries = Object.entries(value);
    for (const [index, [name, hash]] of entries.entries()) {
      const at = ['basic_auth_users', name];
      const isName = name !== '' && !/[:\p{Cc}]/u.test(name) && Buffer.byteLength(name) <= MAX_USER_BYTES;
      if (!isName || index >= MAX_USERS) {
        this.report('CHX_WEB_USER', at, 'key', () => ({
          wrong: isName ? `there are more than ${MAX_USERS} users` : 'the name of a user cannot be sent',
          got: name,
          expected: `1 to ${MAX_USER_BYTES} bytes without ":" and control characters, and at most ${MAX_USERS} users`,
          remedy: 'Give it another name; for many users, use certificates.',
        }));
      }
      const cost = typeof hash === 'string' ? Number(HASH.exec(hash)?.[1]) : Number.NaN;
      if (cost >= MIN_COST && cost <= MAX_COST) continue;
      this.report('CHX_WEB_USER', at, 'value', () => ({
        wrong: Number.isNaN(cost)
          ? `what stands for the password of ${name} is no hash of bcrypt`
          : `the hash of the password of ${name} has the cost ${cost}`,
        expected: `$2a$, $2b$ or $2y$ with a cost of ${MIN_COST} to ${MAX_COST}`,
        remedy: 'Make it with htpasswd -nBC 10 NAME.',
      }));
    }
    return entries as WebConfig['users'];
  }

  private rateLimit(value: unknown): RateLimit | undefined {
    if (value === undefined || value === null) return undefined;
    const section = this.record(value, ['rate_limit'], 'rate_limit', ['interval', 'burst']);
    if (section === undefined) return undefined;
    const intervalMs = durationMs(section.interval ?? '0');
    if (intervalMs === undefined) {
      this.report('CHX_WEB_RATE_LIMIT', ['rate_limit', 'interval'], 'value', () => ({
        wrong: 'interval is no time',
        got: section.interval,
        expected: 'a time such as 1s, 500ms or 1m30s; 0 for no limit',
        remedy: 'Leave rate_limit out for no limit.',
      }));
      return undefined;
    }
    if (intervalMs === 0) return undefined;
    const burst = /^\d+$/.test(String(section.burst)) ? Number(section.burst) : 0;
    if (burst >= 1 && burst <= MAX_BURST) return { burst, perSecond: 1000 / intervalMs };
    // with 0 every request would be refused
    this.report('CHX_WEB_RATE_LIMIT', ['rate_limit', 'burst'], 'value', () => ({
      wrong: 'burst is no number of requests',
      got: section.burst,
      expected: `1 to ${MAX_BURST}`,
      remedy: 'Leave rate_limit out for no limit.',
    }));
    return undefined;
  }
}

function isHeaderValue(name: string, value: unknown): value is string {
  if (typeof value !== 'string' || value.length > MAX_HEADER_CHARACTERS) return false;
  try {
    validateHeaderValue(name, value);
    return true;
  } catch {
    return false;
  }
}

/** A duration as Go writes it, such as `1m30s`. */
function durationMs(value: unknown): number | undefined {
  const text = String(value);
  if (/^0+$/.test(text)) return 0;
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h)){1,4}$/.test(text)) return undefined;
  let sum = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    sum += Number(amount) * MS_OF[unit as keyof typeof MS_OF];
  }
  return Number.isFinite(sum) ? sum : undefined;
}
