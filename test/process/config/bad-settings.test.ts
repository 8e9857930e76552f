import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { environment, nodeBinary, runApp } from '../../support/app';
import { FIXTURES, ROOT } from '../../support/paths';

const BAD_FILE = join(FIXTURES, 'partners/several.bad.json');

const CASES: readonly { title: string; env: Record<string, string | undefined>; codes: readonly string[] }[] = [
  { title: 'no system code', env: { SYSCODE: undefined }, codes: ['CHX_SYSCODE_MISSING'] },
  { title: 'a system code with a line break', env: { SYSCODE: 'A123010101\n' }, codes: ['CHX_SYSCODE_INVALID'] },
  { title: 'a port that is none', env: { CHANNEL_EXPORTER_PORT: '91 66' }, codes: ['CHX_PORT_INVALID'] },
  {
    title: 'buckets that do not ascend',
    env: { CHANNEL_EXPORTER_INNER_METRICS_BUCKETS: '200,100' },
    codes: ['CHX_BUCKETS_INVALID'],
  },
  {
    title: 'a missing partner file',
    env: { CHANNEL_EXPORTER_PARTNERS: '/nowhere/partners.yaml' },
    codes: ['CHX_PARTNERS_UNREADABLE'],
  },
  {
    title: 'a partner file with several problems',
    env: { CHANNEL_EXPORTER_PARTNERS: BAD_FILE },
    codes: ['CHX_PARTNER_CODE', 'CHX_PARTNER_HOST', 'CHX_PARTNER_PATTERN'],
  },
  {
    title: 'a callers file with several problems',
    env: { CHANNEL_EXPORTER_CALLERS: join(FIXTURES, 'callers/several.bad.json') },
    codes: ['CHX_CALLERS_REST', 'CHX_CALLER_NAME', 'CHX_CALLER_PATTERN'],
  },
  {
    title: 'several faulty variables',
    env: { SYSCODE: '1', CHANNEL_EXPORTER_HOST: 'a b', CHANNEL_EXPORTER_BODY_LIMIT: '64k' },
    codes: ['CHX_SYSCODE_INVALID', 'CHX_HOST_INVALID', 'CHX_BODY_LIMIT_INVALID'],
  },
];

async function answers(port: number): Promise<{ status: number; headers: [string, string][]; body: string }> {
  const response = await fetch(`http://127.0.0.1:${port}/a/b?c=d`);
  // the date of the answer is not the application's
  const headers = [...response.headers].filter(([name]) => name !== 'date');
  return { status: response.status, headers, body: await response.text() };
}

describe('the preload with faulty settings', () => {
  for (const { title, env, codes } of CASES) {
    it(`says it once on stderr and steps aside: ${title}`, async () => {
      const [app, without] = await Promise.all([
        runApp('test/fixtures/apps/hello.js', { env }),
        runApp('test/fixtures/apps/hello.js', { env, nodeArgs: [] }),
      ]);
      try {
        assert.deepEqual(await answers(app.port), await answers(without.port));
        const [first, ...lines] = app.stderr().trimEnd().split('\n');
        assert.equal(first, 'channel-exporter: nothing is measured; the application runs without metrics:');
        assert.deepEqual(
          lines.map((line) => /^(CHX_[A-Z_]+): .*expected .*\. .*\S$/.exec(line)?.[1]),
          codes,
        );
        assert.equal(app.stdout(), `ready ${app.port}\n`);
        assert.equal(app.metricsUrl, '');
      } finally {
        await Promise.all([app.stop(), without.stop()]);
      }
    });
  }

  it('warns of a variable that means nothing, and measures', async () => {
    const app = await runApp('test/fixtures/apps/hello.js', { env: { CHANNEL_EXPORTER_PROT: '9166' } });
    try {
      await answers(app.port);
      const warnings = app
        .stderr()
        .split('\n')
        .filter((line) => line.includes('CHX_'));
      assert.deepEqual(warnings, [
        'channel-exporter: CHX_VARIABLE_UNKNOWN: CHANNEL_EXPORTER_PROT is not a setting and has no effect. Did you mean CHANNEL_EXPORTER_PORT?',
      ]);
      assert.match(app.metricsUrl, /^http:/);
    } finally {
      await app.stop();
    }
  });
});

describe('start() with faulty settings', () => {
  it('throws one ConfigError with every problem, and writes nothing', async () => {
    const options = { syscode: 'A12', prot: 9166, partners: { hosts: { 'a/b': { partner: '1' } } } };
    const { stdout, stderr } = await promisify(execFile)(
      nodeBinary(),
      [join(FIXTURES, 'apps/start-options.js'), JSON.stringify(options)],
      { cwd: ROOT, env: environment({ SYSCODE: undefined }) },
    );
    const thrown = JSON.parse(stdout);
    assert.equal(thrown.isConfigError, true);
    assert.equal(thrown.name, 'ConfigError');
    assert.equal(thrown.code, 'CHX_OPTION_UNKNOWN');
    assert.deepEqual(
      thrown.problems.map(({ code }: { code: string }) => code),
      ['CHX_OPTION_UNKNOWN', 'CHX_SYSCODE_INVALID', 'CHX_PARTNER_HOST'],
    );
    assert.match(thrown.message, /got "prot"; .* Did you mean port\?\nCHX_SYSCODE_INVALID: syscode .*; got "A12"/);
    assert.equal(stderr, '');
  });
});
