/** Mistakes that leave a service without metrics, or with wrong ones: each is reported once, and no helper reports. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { type AppOptions, environment, nodeBinary } from '../../support/app';
import { FIXTURES, ROOT } from '../../support/paths';
import { openWorld, PRELOAD, PRELOAD_PATH, PROGRAMS, send, until } from '../../support/service';

const PROGRAM = join(FIXTURES, 'config');
const HELPER = join(PROGRAM, 'helper.js');
const RUNS_HELPERS = join(PROGRAM, 'runs-helpers.js');
/** Listens, and ends. */
const SERVES = join(PROGRAM, 'calls.js');
const START_LINE = /^channel-exporter: \d\S+, A123010101, http:\/\/localhost:\d+\/metrics; observes .*$/;
const SYSCODE_MISSING = /^CHX_SYSCODE_MISSING: /;
const NOTHING = /^channel-exporter: nothing is measured; the application runs without metrics:$/;

const folder = mkdtempSync(join(tmpdir(), 'chx-mistakes-'));
const partners = join(folder, 'partners.json');
const hosts = { 'pay.test': { partner: '12', paths: { '/pay': '1' } }, 'ship.test:8443': { partner: '13' } };
writeFileSync(partners, JSON.stringify({ hosts }));
after(() => rmSync(folder, { recursive: true, force: true }));

async function run(args: readonly string[], env?: AppOptions['env']): Promise<{ stdout: string; stderr: string[] }> {
  const child = spawn(nodeBinary(), args, { cwd: ROOT, env: environment(env), stdio: ['ignore', 'pipe', 'pipe'] });
  const texts = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      texts[stream] += text;
    });
  }
  await once(child, 'close');
  return { stdout: texts.stdout, stderr: texts.stderr.split('\n').filter((line) => line !== '') };
}

interface Row {
  readonly name: string;
  readonly script: string;
  readonly args?: readonly string[];
  readonly env?: AppOptions['env'];
  /** Lines on stderr, in any order. */
  readonly expect: readonly RegExp[];
}

const ROWS: readonly Row[] = [
  { name: 'a helper that computes logs nothing', script: HELPER, expect: [] },
  {
    name: 'a helper logs nothing where the settings have no effect either',
    script: HELPER,
    env: { CHANNEL_EXPORTER_GLOBAL: '1', CHANNEL_EXPORTER_PROT: '1', OTEL_METRICS_EXPORTER: 'zipkin' },
    expect: [],
  },
  { name: 'OTEL_SDK_DISABLED leaves a helper silent', script: HELPER, env: { OTEL_SDK_DISABLED: 'true' }, expect: [] },
  { name: 'a service logs the start line', script: SERVES, expect: [START_LINE] },
  {
    name: 'a short program with a wrong setting logs it once',
    script: HELPER,
    env: { SYSCODE: undefined },
    expect: [NOTHING, SYSCODE_MISSING],
  },
  {
    name: 'a source that is misspelled is named with the near spelling',
    script: SERVES,
    env: { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'expres,net,fs,knex' },
    expect: [
      START_LINE,
      /CHX_VARIABLE_VALUE: OTEL_NODE_DISABLED_INSTRUMENTATIONS .*"expres"\. Did you mean express\?$/,
    ],
  },
  {
    name: 'an exporter of metrics that does not exist is named',
    script: SERVES,
    env: { OTEL_METRICS_EXPORTER: 'promethius' },
    expect: [
      START_LINE,
      /CHX_VARIABLE_VALUE: OTEL_METRICS_EXPORTER .* got "promethius"; .* Did you mean prometheus\?$/,
    ],
  },
  {
    name: 'a system code under a name in lower case is named',
    script: HELPER,
    env: { SYSCODE: undefined, syscode: 'A123010101' },
    expect: [NOTHING, /^CHX_SYSCODE_MISSING: .* The variable syscode is set; its name has to be SYSCODE\.$/],
  },
  {
    name: 'a setting under a name in lower case is named',
    script: SERVES,
    env: { channel_exporter_host: '127.0.0.1' },
    expect: [START_LINE, /CHX_VARIABLE_UNKNOWN: channel_exporter_host .*Did you mean CHANNEL_EXPORTER_HOST\?$/],
  },
  {
    name: 'without http and http2, no framework is observed',
    script: SERVES,
    env: { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'http,http2' },
    expect: [/; observes undici; off by OTEL_NODE_DISABLED_INSTRUMENTATIONS: http, http2; /],
  },
  {
    name: 'a preload without /register is named',
    script: SERVES,
    args: ['-r', 'channel-exporter'],
    expect: [
      /CHX_REGISTER_MISSING: .* -r channel-exporter loads the API alone\. Write -r channel-exporter\/register\.$/,
    ],
  },
  {
    name: 'a preload without /register by NODE_OPTIONS is named',
    script: SERVES,
    args: [],
    env: { NODE_OPTIONS: '--import channel-exporter' },
    expect: [/CHX_REGISTER_MISSING: /],
  },
  {
    name: 'a preload without /register leaves a helper silent',
    script: HELPER,
    args: ['-r', 'channel-exporter'],
    expect: [],
  },
  {
    name: 'a partner called on a port that its entry lacks is named once',
    script: SERVES,
    env: {
      CHANNEL_EXPORTER_PARTNERS: partners,
      CALLS: 'http://pay.test:1/pay http://pay.test:1/pay http://ship.test:1/ http://other.test:1/',
    },
    expect: [START_LINE, /CHX_PARTNER_PORT: calls to pay\.test:1 .* Add an entry or alias "pay\.test:1"\.$/],
  },
  {
    name: 'a partner called with a slash more than its entry has is reported with the right path',
    script: SERVES,
    env: {
      CHANNEL_EXPORTER_PARTNERS: partners,
      CALLS: 'http://pay.test/pay/ http://pay.test/pay/?a http://pay.test/other',
    },
    expect: [
      START_LINE,
      /CHX_PARTNER_PATH: calls to "\/pay\/" of pay\.test .* has "\/pay", .* Add the path as it is called\.$/,
    ],
  },
  {
    name: 'hosts and paths without an entry are logged at the level debug',
    script: SERVES,
    env: {
      OTEL_LOG_LEVEL: 'debug',
      CHANNEL_EXPORTER_PARTNERS: partners,
      CALLS: 'http://ship.test:1/ http://other.test:1/ http://other.test:1/ http://pay.test/other?id=1',
    },
    expect: [
      START_LINE,
      /calls to "ship\.test:1" are not recorded: the partner entries of this host have other ports$/,
      /calls to "other\.test" are not recorded: no partner entry has this host$/,
      /calls to "\/other" of "pay\.test" have no action code/,
    ],
  },
];

describe('a mistake that was silent', () => {
  for (const { name, script, args = PRELOAD, env, expect } of ROWS) {
    it(name, async () => {
      const { stderr } = await run([...args, script], env);
      assert.equal(stderr.length, expect.length, stderr.join('\n'));
      for (const line of expect) assert.equal(stderr.filter((each) => line.test(each)).length, 1, stderr.join('\n'));
    });
  }

  for (const [what, env] of [
    ['right', {}],
    ['wrong', { SYSCODE: undefined }],
    ['switched off', { OTEL_SDK_DISABLED: 'true' }],
  ] as const) {
    it(`children that compute write nothing to stderr, by execFile and fork: settings that are ${what}`, async () => {
      const options = { NODE_OPTIONS: `-r ${PRELOAD_PATH}` };
      const byVariable = await run([RUNS_HELPERS], { ...options, ...env });
      assert.deepEqual(JSON.parse(byVariable.stdout), ['', '', '']);
      const byFlag = await run([...PRELOAD, RUNS_HELPERS], env);
      assert.deepEqual(JSON.parse(byFlag.stdout), ['', '', '']);
      const problems = byFlag.stderr.filter((line) => line.includes('CHX_'));
      assert.equal(problems.length, what === 'wrong' ? 1 : 0, byFlag.stderr.join('\n'));
    });
  }

  it('start() with a text in place of options is named, and so are options in the spelling of Python', async () => {
    const start = (options: string) =>
      `try { require('channel-exporter').start(${options}) } catch ({ message }) { console.log(message) }`;
    const text = await run(['-e', start("'A123010101'")]);
    assert.match(text.stdout, /^CHX_OPTIONS_INVALID: .*; got "A123010101"; .* Pass \{ syscode: 'A123010101' \}\.\n$/);
    for (const [given, meant] of [
      ['partner_http_metrics_buckets', 'partnerHttpMetricsBuckets'],
      ['metrics_port', 'port'],
      ['sys_code', 'syscode'],
      ['IGNORE_PATHS', 'ignorePaths'],
    ]) {
      const { stdout } = await run(['-e', start(`{ syscode: 'A123010101', ${given}: 1 }`)]);
      assert.match(stdout, new RegExp(`^CHX_OPTION_UNKNOWN: .*; got "${given}"; .* Did you mean ${meant}\\?\\n$`));
    }
  });

  it('a service of several processes logs one line', async () => {
    const world = await openWorld();
    try {
      const env = { WORKERS: '2', CHANNEL_EXPORTER_GLOBAL: '1', NODE_PATH: undefined };
      const service = world.start({ args: [...PRELOAD, `${PROGRAMS}/forks.js`], env });
      for (const { port } of await service.ready(2)) await send(port, 3);
      await world.counted(6);
      assert.equal(service.said('; observes ').length, 1, service.output());
    } finally {
      await world.end();
    }
  });

  it('one system code in two programs on a host is named, and one program twice is not', async () => {
    const world = await openWorld();
    const start = async (name: string, place: string) => {
      const cwd = join(world.folder, place);
      mkdirSync(cwd);
      cpSync(join(PROGRAMS, 'service.js'), join(cwd, 'service.js'));
      writeFileSync(join(cwd, 'package.json'), JSON.stringify({ name }));
      const service = world.start({ cwd, args: ['-r', PRELOAD_PATH, 'service.js'] });
      const [ready] = await service.ready(1);
      await send(ready?.port as number, 1);
      return service;
    };
    try {
      const orders = await start('orders', 'a');
      await world.counted(1);
      await start('orders', 'b');
      await world.counted(2);
      assert.deepEqual(orders.said('CHX_'), []);
      const billing = await start('billing', 'c');
      await world.counted(3);
      await until(() => orders.said('CHX_').length > 0, orders.output);
      const [line, ...more] = orders.said('CHX_');
      assert.match(
        line as string,
        /CHX_SYSCODE_SHARED: A123010101 is .* two programs, orders \(pid \d+\) and billing \(pid/,
      );
      assert.deepEqual(more, []);
      assert.deepEqual(billing.said(''), []);
    } finally {
      await world.end();
    }
  });

  it('one system code in scripts of two folders without a package.json is named, and in a folder within is not', async () => {
    const world = await openWorld();
    const start = async (place: string, requests: number) => {
      const cwd = join(world.folder, place);
      mkdirSync(cwd);
      cpSync(join(PROGRAMS, 'service.js'), join(cwd, 'service.js'));
      const service = world.start({ cwd, args: ['-r', PRELOAD_PATH, 'service.js'] });
      const [ready] = await service.ready(1);
      await send(ready?.port as number, 1);
      await world.counted(requests);
      return service;
    };
    try {
      const orders = await start('orders', 1);
      await start('orders/jobs', 2);
      assert.deepEqual(orders.said('CHX_'), []);
      await start('billing', 3);
      await until(() => orders.said('CHX_').length > 0, orders.output);
      const [line, ...more] = orders.said('CHX_');
      assert.match(line as string, /CHX_SYSCODE_SHARED: .* two programs, \S+orders \(pid \d+\) and \S+billing \(pid/);
      assert.deepEqual(more, []);
    } finally {
      await world.end();
    }
  });
});
