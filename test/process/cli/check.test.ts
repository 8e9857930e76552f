/** `check` says what a start says, and starts nothing. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { makeApplication, runCommand } from '../../support/command';
import { FIXTURES } from '../../support/paths';
import { environment, SYSCODE, startProgram } from '../../support/program';

interface Report {
  readonly ok: boolean;
  readonly problems: readonly { code: string; text: string; place?: string }[];
  readonly warnings: readonly { code?: string; text: string; place?: string }[];
  readonly settings?: readonly { name: string; value: string; from: { kind: string; name: string } }[];
}

const application = makeApplication({
  'broken.yaml': 'hosts:\n  pay.test:\n    partner: 12\n    paths:\n      /orders/{id}: "1"\n      /a?b: "2"\n',
  'slash.json':
    '{ "hosts": { "pay.test": { "partner": "12",\n "paths": { "/pay/": "1", "/": "2", "/b/": "3", "/b": "4" } } } }',
  'callers.yaml': 'callers:\n  "axios/*": axios\nrest: kep\n',
  'paths.yaml': 'paths:\n  - /orders/{id}\n',
  '.env': 'SYSCODE=B200000002\nCHANNEL_EXPORTER_BODY_LIMIT=1024\n',
});
after(() => application.remove());

type Env = Readonly<Record<string, string | undefined>>;

async function check(args: readonly string[], env: Env = {}): Promise<Report & { code: number | null }> {
  const { code, stdout, stderr } = await runCommand(['check', '--json', ...args], { env, cwd: application.folder });
  assert.equal(stderr, '');
  return { ...(JSON.parse(stdout) as Report), code };
}

/** What a start of a service logs with the same settings: problems, and where there are none warnings. */
async function startSays(env: Env): Promise<string[]> {
  const script = join(FIXTURES, 'config/calls.js');
  const preload = ['-r', join(FIXTURES, '../../dist/register.js')];
  const program = startProgram({ args: [...preload, script], env, cwd: application.folder });
  await program.closed;
  const lines = program.stderr().split('\n');
  return lines.map((line) => line.replace(/^channel-exporter: /, '')).filter((line) => line.startsWith('CHX_'));
}

const lineOf = ({ code, text }: { code?: string; text: string }) => `${code}: ${text}`;

describe('check', () => {
  for (const { name, env, codes } of [
    { name: 'a system code that is missing', env: { SYSCODE: undefined }, codes: ['CHX_SYSCODE_MISSING'] },
    {
      name: 'one in lower case letters of its name',
      env: { SYSCODE: undefined, syscode: SYSCODE },
      codes: ['CHX_SYSCODE_MISSING'],
    },
    {
      name: 'several settings at once',
      env: {
        CHANNEL_EXPORTER_PORT: '91 66',
        CHANNEL_EXPORTER_INNER_METRICS_BUCKETS: '5,1',
        CHANNEL_EXPORTER_GLOBAL: 'x',
      },
      codes: ['CHX_PORT_INVALID', 'CHX_BUCKETS_INVALID', 'CHX_BOOLEAN_INVALID'],
    },
    {
      name: 'a partner file and a callers file with problems',
      env: { CHANNEL_EXPORTER_PARTNERS: 'broken.yaml', CHANNEL_EXPORTER_CALLERS: 'callers.yaml' },
      codes: ['CHX_PARTNER_PATTERN', 'CHX_PARTNER_PATTERN', 'CHX_CALLERS_REST'],
    },
    {
      name: 'a paths file with a problem',
      env: { CHANNEL_EXPORTER_PATHS: 'paths.yaml', CHANNEL_EXPORTER_GENERALIZE_PATHS: 'yess' },
      codes: ['CHX_BOOLEAN_INVALID', 'CHX_PATH_PATTERN'],
    },
    {
      name: 'a partner file that is not there',
      env: { CHANNEL_EXPORTER_PARTNERS: 'none.yaml' },
      codes: ['CHX_PARTNERS_UNREADABLE'],
    },
  ] as { name: string; env: Env; codes: string[] }[]) {
    it(`reports ${name} as a start does`, async () => {
      const report = await check([], env);
      assert.deepEqual(
        report.problems.map(({ code }) => code),
        codes,
      );
      assert.deepEqual(report.problems.map(lineOf), await startSays(env));
      assert.deepEqual([report.code, report.ok], [1, false]);
    });
  }

  it('warns as a start does, and warnings are no problems', async () => {
    const env = {
      OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'expres',
      CHANNEL_EXPORTER_PROT: '1',
      OTEL_METRICS_EXPORTER: 'zipkin',
    };
    const report = await check([], env);
    assert.equal(report.warnings.length, 3);
    assert.deepEqual(report.warnings.map(lineOf), await startSays(env));
    assert.deepEqual([report.code, report.ok], [0, true]);
    assert.equal((await check(['--strict'], env)).code, 1);
  });

  it('warns beside problems, where a start says the problems alone', async () => {
    const report = await check([], { CHANNEL_EXPORTER_PORT: 'x', CHANNEL_EXPORTER_PROT: '1' });
    assert.deepEqual([report.problems.length, report.warnings.length], [1, 1]);
  });

  it('gives the place of each problem in a file', async () => {
    const report = await check(['--partners', 'broken.yaml', '--callers', 'callers.yaml', '--paths', 'paths.yaml']);
    assert.deepEqual(
      report.problems.map(({ place }) => place),
      ['broken.yaml:5:7', 'broken.yaml:6:7', 'callers.yaml:3:7', 'paths.yaml:2:5'],
    );
  });

  it('warns of a path with a slash at the end, unless the other spelling is there too', async () => {
    const { warnings, code } = await check(['--partners', 'slash.json']);
    assert.deepEqual(
      warnings.map((each) => [each.code, each.place]),
      [['CHX_PARTNER_PATH', 'slash.json:2:13']],
    );
    assert.match(warnings[0]?.text ?? '', /calls to \/pay of pay\.test have no action code/);
    assert.equal(code, 0);
  });

  it('warns of boundaries of its own and of a switch that turns everything off', async () => {
    const { warnings } = await check([], { CHANNEL_EXPORTER_INNER_METRICS_BUCKETS: '5,10', OTEL_SDK_DISABLED: 'true' });
    assert.match(warnings[0]?.text ?? '', /^OTEL_SDK_DISABLED is true; nothing is measured/);
    assert.match(warnings[1]?.text ?? '', /A123010101_inner_metrics has boundaries of its own and lacks 100 200/);
  });

  it('prints what is in force and where it comes from, and nothing secret', async () => {
    const { settings = [] } = await check(['--print', '--partners', 'slash.json', '--env-from', '.env'], {
      SYSCODE: 'a123010101',
      CHANNEL_EXPORTER_PORT: undefined,
      OTEL_EXPORTER_PROMETHEUS_PORT: '9200',
      OTEL_LOG_LEVEL: 'warn',
      OTEL_RESOURCE_ATTRIBUTES: 'team=shop,token=topsecret',
      OTEL_EXPORTER_OTLP_HEADERS: 'api-key=topsecret',
    });
    const by = Object.fromEntries(settings.map(({ name, value, from }) => [name, [value, from.kind, from.name]]));
    assert.deepEqual(by.SYSCODE, ['A123010101', 'environment', 'SYSCODE']);
    assert.deepEqual(by.CHANNEL_EXPORTER_PORT, ['9200', 'standard variable', 'OTEL_EXPORTER_PROMETHEUS_PORT']);
    assert.deepEqual(by.CHANNEL_EXPORTER_PARTNERS, ['slash.json', 'option', '--partners']);
    assert.deepEqual(by.CHANNEL_EXPORTER_BODY_LIMIT, ['1024', 'environment', 'CHANNEL_EXPORTER_BODY_LIMIT']);
    assert.deepEqual(by.CHANNEL_EXPORTER_CREATED, ['off', 'default', '']);
    assert.deepEqual(by.CHANNEL_EXPORTER_LOG_LEVEL, ['warn', 'standard variable', 'OTEL_LOG_LEVEL']);
    assert.deepEqual(by.CHANNEL_EXPORTER_RESOURCE_ATTRIBUTES?.[0], 'team, token');
    assert.doesNotMatch(JSON.stringify(settings), /topsecret/);
  });

  it('is one line for each problem, without control characters', async () => {
    const env = { ...environment(), CHANNEL_EXPORTER_PORT: '\u001b[2Jx\n\u009by', CHANNEL_EXPORTER_PROT: '1' };
    const { stdout, code } = await runCommand(['check', '--print'], { env });
    assert.equal(code, 1);
    assert.match(
      stdout,
      /^CHX_PORT_INVALID: .*\nCHX_VARIABLE_UNKNOWN: .*\n\n1 problem, 1 warning: nothing would be measured\n/,
    );
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    assert.doesNotMatch(stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  });
});
