/** Holds docs/errors.md and the catalogue of src/errors.ts equal, and the messages in the form of the house. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseCallersText } from '../src/callers/file';
import { resolveConfig } from '../src/config/resolve';
import { ConfigError, nearest, PROBLEM_CODES, type ProblemCode, problem, show, WARNING_CODES } from '../src/errors';
import { parseWebConfigText, readWebConfigFile } from '../src/exporter/web-config/file';
import { parsePartnerText } from '../src/partners/file';
import { parsePathsText } from '../src/paths/file';
import { ROOT } from './support/paths';

const page = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8');

/** Its certificate is looked at last. */
const INLINE = 'tls_server_config:\n  cert: PEM\n  key: PEM\n';

/** What makes each problem, for the example of its section. */
const CAUSES: Readonly<
  Record<
    ProblemCode,
    { options?: unknown; env?: NodeJS.ProcessEnv; partners?: string; callers?: string; paths?: string; web?: string }
  >
> = {
  CHX_SYSCODE_MISSING: { env: { SYSCODE: '' } },
  CHX_SYSCODE_INVALID: { env: { SYSCODE: 'A12301010' } },
  CHX_OPTIONS_INVALID: { options: 'A123010101' },
  CHX_OPTION_UNKNOWN: { options: { prot: 9166 } },
  CHX_BOOLEAN_INVALID: { env: { CHANNEL_EXPORTER_PARTNERS_PRESET: 'maybe' } },
  CHX_PORT_INVALID: { env: { CHANNEL_EXPORTER_PORT: '91 66' } },
  CHX_HOST_INVALID: { env: { CHANNEL_EXPORTER_HOST: 'http://127.0.0.1' } },
  CHX_BUCKETS_INVALID: { env: { CHANNEL_EXPORTER_INNER_METRICS_BUCKETS: '200,100' } },
  CHX_IGNORE_PATHS_INVALID: { env: { CHANNEL_EXPORTER_IGNORE_PATHS: 'healthcheck' } },
  CHX_BODY_LIMIT_INVALID: { env: { CHANNEL_EXPORTER_BODY_LIMIT: '64k' } },
  CHX_CODE_FROM_INVALID: { env: { CHANNEL_EXPORTER_CODE_FROM: 'error.code,errors[1].code' } },
  CHX_CODE_DEPTH_INVALID: { env: { CHANNEL_EXPORTER_CODE_DEPTH: '0' } },
  CHX_DROP_LABELS_INVALID: { env: { CHANNEL_EXPORTER_DROP_LABELS: 'inner=fcode' } },
  CHX_LABEL_VALUES_LIMIT_INVALID: { env: { CHANNEL_EXPORTER_LABEL_VALUES_LIMIT: 'path=many' } },
  CHX_SERIES_LIMIT_INVALID: { env: { CHANNEL_EXPORTER_SERIES_LIMIT: '0' } },
  CHX_VIEWS_INVALID: { options: { views: [{ instrumentName: 'channel.partner.errors', name: 'calls_failed' }] } },
  CHX_ENV_INVALID: { options: { env: 5 } },
  CHX_APP_METRICS_INVALID: { env: { CHANNEL_EXPORTER_APP_METRICS: 'metrics' } },
  CHX_SUCCESS_CODES_INVALID: { options: { successCodes: [true] } },
  CHX_PARTNERS_INVALID: { options: { partners: 5 } },
  CHX_PARTNERS_UNREADABLE: { env: { CHANNEL_EXPORTER_PARTNERS: '/etc/partners.yaml' } },
  CHX_PARTNERS_SYNTAX: { partners: 'hosts:\n  a: { partner: 1 }\n  a: { partner: 2 }\n' },
  CHX_PARTNERS_SHAPE: { partners: 'hosts: [pay.example.com]\n' },
  CHX_PARTNER_KEY: { partners: 'hosts:\n  pay.example.com:\n    partner: 12\n    path: {}\n' },
  CHX_PARTNER_HOST: { partners: 'hosts:\n  https://pay.example.com: { partner: 12 }\n' },
  CHX_PARTNER_CODE: { partners: 'hosts:\n  pay.example.com: { partner: true }\n' },
  CHX_PARTNER_NAME: { partners: 'hosts:\n  pay.example.com: { partner: 12, name: true }\n' },
  CHX_PARTNER_SUCCESS: { partners: 'hosts:\n  pay.example.com: { partner: 12, success: [true] }\n' },
  CHX_PARTNER_CODE_FROM: { partners: 'hosts:\n  rpc.example.com: { partner: 12, codeFrom: [error/code] }\n' },
  CHX_PARTNER_PATTERN: { partners: 'hosts:\n  pay.example.com:\n    partner: 12\n    paths: { v1/pay: 1201 }\n' },
  CHX_PARTNER_ALIAS: { partners: 'hosts:\n  pay.example.com: { partner: 12 }\n  PAY.example.com: { partner: 13 }\n' },
  CHX_CALLERS_INVALID: { options: { callers: 5 } },
  CHX_CALLERS_UNREADABLE: { env: { CHANNEL_EXPORTER_CALLERS: '/etc/callers.yaml' } },
  CHX_CALLERS_SYNTAX: { callers: 'callers:\n  axios/*: a\n  axios/*: b\n' },
  CHX_CALLERS_SHAPE: { callers: 'callers: [axios]\n' },
  CHX_CALLERS_KEY: { callers: 'callers:\n  axios/*: axios\nrests: other\n' },
  CHX_CALLERS_REST: { callers: 'callers:\n  axios/*: axios\nrest: others\n' },
  CHX_CALLER_PATTERN: { callers: 'callers:\n  axios/*: axios\n  axios/1.*: new\n' },
  CHX_CALLER_NAME: { callers: 'callers:\n  axios: axios/*\n' },
  CHX_PATHS_INVALID: { options: { paths: 5 } },
  CHX_PATHS_UNREADABLE: { env: { CHANNEL_EXPORTER_PATHS: '/etc/paths.yaml' } },
  CHX_PATHS_SYNTAX: { paths: 'paths: [/orders/*\n' },
  CHX_PATHS_SHAPE: { paths: 'paths: { /orders/*: orders }\n' },
  CHX_PATHS_KEY: { paths: 'paths: [/orders/*]\npath: [/users/*]\n' },
  CHX_PATH_PATTERN: { paths: 'paths:\n  - /orders/*\n  - /orders/:id\n' },
  CHX_WEB_CONFIG_INVALID: { options: { webConfigFile: {} } },
  CHX_WEB_CONFIG_UNREADABLE: { web: '/etc/channel-exporter/web.yaml' },
  CHX_WEB_CONFIG_SYNTAX: { web: 'rate_limit: { burst: 1 }\nrate_limit: { burst: 2 }\n' },
  CHX_WEB_CONFIG_SHAPE: { web: '' },
  CHX_WEB_CONFIG_KEY: { web: 'basic_auth_user:\n  alice: $2y$10$\n' },
  CHX_WEB_TLS_CERTIFICATE: { web: 'tls_server_config:\n  min_version: TLS13\n' },
  CHX_WEB_TLS_CLIENT: { web: `${INLINE}  client_auth_type: RequireAndVerifyClientCerts\n` },
  CHX_WEB_TLS_VERSION: { web: `${INLINE}  min_version: TLS10\n` },
  CHX_WEB_TLS_CIPHER: { web: `${INLINE}  cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA]\n` },
  CHX_WEB_HEADER: { web: 'http_server_config:\n  headers: { X-Frame-Options: denied }\n' },
  CHX_WEB_USER: { web: 'basic_auth_users:\n  alice: secret\n' },
  CHX_WEB_RATE_LIMIT: { web: 'rate_limit: { interval: 1 second, burst: 20 }\n' },
};

function messageOf(code: ProblemCode): string {
  const { options, env, partners, callers, paths, web } = CAUSES[code];
  if (web?.startsWith('/')) return readWebConfigFile(web).problems[0]?.message ?? '';
  if (web !== undefined) return parseWebConfigText(web, 'web.yaml').problems[0]?.message ?? '';
  if (partners !== undefined) return parsePartnerText(partners, 'partners.yaml').problems[0]?.message ?? '';
  if (callers !== undefined) return parseCallersText(callers, 'callers.yaml').problems[0]?.message ?? '';
  if (paths !== undefined) return parsePathsText(paths, 'paths.yaml').problems[0]?.message ?? '';
  try {
    resolveConfig(options ?? {}, { SYSCODE: 'A123010101', ...env });
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return '';
}

/** Sections by code. */
const sections = new Map(
  page
    .split(/^### /m)
    .slice(1)
    .map((section) => [section.split('\n', 1)[0] as string, section]),
);
const EXAMPLE = /^```text\n(.*?)\n```$/ms;

describe('docs/errors.md', () => {
  it('has every code once, in the order of the catalogue', () => {
    assert.deepEqual([...sections.keys()], [...PROBLEM_CODES, ...WARNING_CODES]);
    assert.equal(page.split(/^### /m).length - 1, sections.size);
  });

  for (const code of [...PROBLEM_CODES, ...WARNING_CODES]) {
    it(`tells of ${code} an example, the meaning and the remedy`, () => {
      const section = sections.get(code) ?? '';
      const example = EXAMPLE.exec(section)?.[1] ?? '';
      assert.ok(example.startsWith(`${code}: `), section);
      assert.match(section, /^Meaning: \S.{20,}/m);
      assert.match(section, /^Remedy: \S.{10,}/m);
    });
  }

  for (const code of PROBLEM_CODES) {
    it(`shows the message that is really given for ${code}`, () => {
      const message = messageOf(code);
      assert.equal(EXAMPLE.exec(sections.get(code) ?? '')?.[1], message);
      assert.match(message, /^CHX_[A-Z_]+: [^;]+(; got .+)?; expected .+\. .+[.?]$/s);
    });
  }
});

describe('the catalogue', () => {
  it('has every code that the source uses, and none that it does not', () => {
    const folder = join(ROOT, 'src');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    const used = new Set<string>();
    for (const name of files.filter((each) => each !== 'errors.ts')) {
      const text = readFileSync(join(folder, name), 'utf8');
      for (const code of text.match(/CHX_[A-Z_]*[A-Z]/g) ?? []) used.add(code);
    }
    assert.deepEqual([...used].sort(), [...PROBLEM_CODES, ...WARNING_CODES].sort());
  });
});

describe('a message', () => {
  it('shows the value as JSON, cut at 120 characters', () => {
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    const cases: readonly [value: unknown, shown: string][] = [
      ['a\n"b"', '"a\\n\\"b\\""'],
      ['x'.repeat(200), `"${'x'.repeat(119)}…`],
      [undefined, 'undefined'],
      [Number.NaN, 'NaN'],
      [[Number.NEGATIVE_INFINITY], '["-Infinity"]'],
      [10n, '10'],
      [circular, '[object Object]'],
      [Symbol('s'), 'symbol'],
      [() => 1, 'a function'],
    ];
    for (const [value, shown] of cases) assert.equal(show(value), shown);
  });

  it('leaves out a value where there is none', () => {
    const { message } = problem('CHX_SYSCODE_MISSING', { wrong: 'it is missing', expected: 'one', remedy: 'Set it.' });
    assert.equal(message, 'CHX_SYSCODE_MISSING: it is missing; expected one. Set it.');
  });

  it('suggests a name at most two letters away', () => {
    assert.equal(nearest('prot', ['port', 'host']), 'port');
    assert.equal(nearest('PORTS', ['port', 'host']), 'port');
    assert.equal(nearest('something', ['port', 'host']), undefined);
  });
});
