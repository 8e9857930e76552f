/** Start, stop, and what the application notices of it: nothing. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type App, type AppOptions, INNER, PARTNER, runApp } from '../../support/app';
import { openWorkshop } from '../../support/packed';
import { FIXTURES } from '../../support/paths';
import { startProgram } from '../../support/program';

const PROGRAMS = join(FIXTURES, 'lifecycle');
const PRELOAD = ['-r', 'channel-exporter/register'];
const EXIT_LIMIT_MS = 15_000;
/** Longer than the exporter waits between two attempts to have its port. */
const RETRY_LIMIT_MS = 20_000;

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  /** What the program itself wrote. */
  readonly stderr: string;
  /** Lines that the exporter wrote. */
  readonly said: readonly string[];
}

/** Runs a program to its end. */
async function runToEnd(args: readonly string[], env?: AppOptions['env']): Promise<Ended> {
  const { child, stdout, stderr, closed } = startProgram({ args, env });
  const limit = setTimeout(() => child.kill('SIGKILL'), EXIT_LIMIT_MS);
  const end = await closed;
  clearTimeout(limit);
  return { ...end, stdout: stdout(), ...split(stderr()) };
}

function split(stderr: string): { stderr: string; said: readonly string[] } {
  const lines = stderr.split('\n');
  const isOurs = (line: string) => line.startsWith('channel-exporter: ');
  return { stderr: lines.filter((line) => !isOurs(line)).join('\n'), said: lines.filter(isOurs) };
}

/** Frames of ours stand among Express's in a stack, which Node cuts at ten. */
function withoutFrames(stderr: string): string {
  return stderr.replace(/^ {4}at .*\n/gm, '');
}

async function withApp(script: string, options: AppOptions, use: (app: App) => Promise<void>): Promise<void> {
  const app = await runApp(join(PROGRAMS, script), options);
  try {
    await use(app);
  } finally {
    await app.stop();
  }
}

async function ask(app: App, path: string) {
  const response = await fetch(`http://127.0.0.1:${app.port}${path}`, { headers: { 'user-agent': 'T' } });
  const headers = [...response.headers].filter(([name]) => name !== 'date');
  return { status: response.status, headers, body: await response.text() };
}

describe('what is touched in the process', () => {
  const PATCHED = [
    'http.request',
    'http.get',
    'https.request',
    'https.get',
    'ServerResponse.write',
    'ServerResponse.end',
  ];
  const STARTED = /^channel-exporter: \d.*A123010101, http:\/\/localhost:\d+\/metrics; observes /;
  const CASES = [
    { name: 'the methods that are observed, and no listener', mode: 'preloaded', touched: [...PATCHED, 'Module.load'] },
    {
      name: 'the same when start() follows the preload',
      mode: 'twice',
      touched: [...PATCHED, 'Module.load'],
      said: STARTED,
    },
    { name: 'the same inside a worker thread', mode: 'worker', touched: [...PATCHED, 'Module.load'], said: STARTED },
    ...['OTEL_SDK_DISABLED=true', 'OTEL_SDK_DISABLED= TRUE ', 'OTEL_METRICS_EXPORTER=none'].flatMap((setting) =>
      ['preloaded', 'twice'].map((mode) => ({
        name: `nothing with ${setting}, ${mode}`,
        mode,
        touched: [],
        env: Object.fromEntries([setting.split('=')]) as Record<string, string>,
      })),
    ),
    {
      name: 'what the enabled sources need',
      mode: 'preloaded',
      touched: PATCHED,
      env: { OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'http' },
    },
  ];

  for (const { name, mode, touched, said, env } of CASES.map((row) => ({ said: undefined, env: {}, ...row }))) {
    it(`is ${name}`, async () => {
      const args = ['-r', join(PROGRAMS, 'capture.js'), ...PRELOAD, join(PROGRAMS, 'touched.js'), mode];
      const ended = await runToEnd(args, env);
      assert.deepEqual(ended.stdout, `report ${JSON.stringify({ touched })}\n`);
      assert.equal(ended.stderr, '');
      // a thread is a first use, and so is start() in code; the other programs neither serve nor measure
      assert.equal(ended.said.length, said === undefined ? 0 : 1, ended.said.join('\n'));
      if (said !== undefined) assert.match(ended.said[0] as string, said);
      assert.equal(ended.code, 0);
    });
  }

  it('is nothing any more after shutdown(), until the next start()', async () => {
    const args = ['-r', join(PROGRAMS, 'capture.js'), ...PRELOAD, join(PROGRAMS, 'touched.js'), 'shutdown'];
    const ended = await runToEnd(args);
    const report = { touched: [], scrape: 'gone', isNew: true, again: PATCHED.length + 1 };
    assert.equal(ended.stdout, `report ${JSON.stringify(report)}\n`, ended.stderr);
    assert.equal(ended.code, 0);
  });
});

describe('starting more than once', () => {
  it('two copies of the package are one exporter, whose later options are refused in one line', async () => {
    const workshop = await openWorkshop();
    try {
      const other = await workshop.install('other');
      await withApp('two-copies.js', { args: [other] }, async (app) => {
        const { isOne, url } = JSON.parse((await ask(app, '/x')).body);
        assert.equal(isOne, true);
        assert.equal(url, app.metricsUrl);
        const metrics = await app.metricsWhen((seen) => seen.counts(INNER).length > 0);
        const [series, ...more] = metrics.counts(INNER);
        assert.deepEqual(more, []);
        assert.equal(series?.count, 1);
        assert.equal(series?.labels.code, 'SECOND');
        assert.equal(series?.labels.method_code, 'FIRST');
        assert.equal(series?.labels.path, '/second/:copy');
        const { said } = split(app.stderr());
        assert.equal(said.filter((line) => line.includes('/metrics;')).length, 1);
        assert.equal(said.filter((line) => line.includes('CHX_ALREADY_STARTED')).length, 1);
      });
    } finally {
      workshop.remove();
    }
  });

  it('after shutdown() it counts from zero, each thing once, though somebody has patched above', async () => {
    const partner = createServer((_request, response) => response.end('{"code":"00"}'));
    await new Promise<void>((resolve) => partner.listen(0, '127.0.0.1', resolve));
    const { port } = partner.address() as AddressInfo;
    const folder = mkdtempSync(join(tmpdir(), 'channel-exporter-lifecycle-'));
    const file = join(folder, 'partners.json');
    writeFileSync(
      file,
      JSON.stringify({ hosts: { [`127.0.0.1:${port}`]: { partner: '12', paths: { '/pay': '1' } } } }),
    );
    const env = { PARTNER_URL: `http://127.0.0.1:${port}/pay`, CHANNEL_EXPORTER_PARTNERS: file };
    try {
      await withApp('restarted.js', { nodeArgs: [], env }, async (app) => {
        const { body: url } = await ask(app, '/url');
        await ask(app, '/answers');
        await ask(app, '/call');
        const text = await (await fetch(url)).text();
        assert.match(text, new RegExp(`^${INNER}_count{.*path="/answers".*code="A1".*} 1$`, 'm'));
        assert.match(text, new RegExp(`^${INNER}_count{.*path="/call".*code="1".*} 1$`, 'm'));
        assert.match(text, new RegExp(`^${PARTNER}_count{.*action_code="1".*code="00".*} 1$`, 'm'));
      });
    } finally {
      partner.close();
      partner.closeAllConnections();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('the application runs as without us', () => {
  const ENDS = [
    { name: 'ends in a handler, after its answer', path: '/exit' },
    { name: 'ends in a handler, before its answer', path: '/exit-before-answer' },
    { name: 'throws where nobody catches', path: '/throws-outside' },
    { name: 'has a rejection that nobody handles', path: '/rejects-outside' },
    { name: 'is ended by a signal', signal: 'SIGTERM' },
    { name: 'is interrupted', signal: 'SIGINT' },
  ] as const;

  for (const row of ENDS) {
    it(`when it ${row.name}`, async () => {
      const outcomes: unknown[] = [];
      for (const nodeArgs of [[], PRELOAD]) {
        await withApp('service.js', { nodeArgs }, async (app) => {
          if ('signal' in row) app.child.kill(row.signal);
          else await ask(app, row.path).catch(() => undefined);
          const { code, signal } = await app.exited();
          const stdout = app.stdout().replace(String(app.port), '<port>');
          outcomes.push({ code, signal, stdout, stderr: withoutFrames(split(app.stderr()).stderr) });
        });
      }
      assert.deepEqual(outcomes[1], outcomes[0]);
    });
  }

  const FAULTY = [
    { name: 'SYSCODE is missing', env: { SYSCODE: undefined }, code: 'CHX_SYSCODE_MISSING' },
    { name: 'SYSCODE is no system code', env: { SYSCODE: 'A12' }, code: 'CHX_SYSCODE_INVALID' },
    { name: 'the port is none', env: { CHANNEL_EXPORTER_PORT: '91 66' }, code: 'CHX_PORT_INVALID' },
    {
      name: 'the partner file is missing',
      env: { CHANNEL_EXPORTER_PARTNERS: '/nowhere.json' },
      code: 'CHX_PARTNERS_UNREADABLE',
    },
  ];
  for (const { name, env, code } of FAULTY) {
    it(`when ${name}, which is said once`, async () => {
      const answers: unknown[] = [];
      for (const nodeArgs of [[], PRELOAD]) {
        await withApp('service.js', { nodeArgs, env }, async (app) => {
          answers.push(await ask(app, '/users/5'));
          if (nodeArgs.length === 0) return;
          assert.equal(app.stderr().split(code).length, 2, app.stderr());
          assert.equal(app.metricsUrl, '');
          assert.equal(app.stdout(), `ready ${app.port}\n`);
        });
      }
      assert.deepEqual(answers[1], answers[0]);
    });
  }

  it('when it finishes while a scraper polls over a connection that it keeps', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    await withApp('finishes.js', {}, async (app) => {
      const url = (app.stdout().split('\n')[0] as string).replace('localhost', '127.0.0.1');
      const poll = setInterval(
        () => get(url, { agent }, (response) => response.resume()).on('error', () => undefined),
        100,
      );
      const limit = setTimeout(() => app.child.kill('SIGKILL'), EXIT_LIMIT_MS);
      const { code, signal } = await app.exited();
      clearInterval(poll);
      clearTimeout(limit);
      agent.destroy();
      assert.deepEqual({ code, signal }, { code: 0, signal: null });
    });
  });
});

describe('settings that are not ours alone', () => {
  it('OTEL_NODE_DISABLED_INSTRUMENTATIONS=express leaves the concrete paths', async () => {
    await withApp('service.js', { env: { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'express' } }, async (app) => {
      await ask(app, '/users/5');
      const metrics = await app.metricsWhen((seen) => seen.counts(INNER).length > 0);
      assert.equal(metrics.counts(INNER)[0]?.labels.path, '/users/5');
    });
  });

  it('a port that is taken is said once, with its holder, and served when the holder leaves', async () => {
    const holder = await runApp(join(PROGRAMS, 'holder.js'), { nodeArgs: [] });
    try {
      await withApp('service.js', { env: { CHANNEL_EXPORTER_PORT: String(holder.port) } }, async (app) => {
        assert.equal((await ask(app, '/users/5')).status, 200);
        const said = () => split(app.stderr()).said;
        const saidWith = async (text: string) => {
          const until = Date.now() + RETRY_LIMIT_MS;
          while (!said().some((line) => line.includes(text)) && Date.now() < until) {
            await new Promise((resolve) => setTimeout(resolve, 50));
          }
          return said().filter((line) => line.includes(text));
        };
        const taken = await saidWith('CHX_PORT_TAKEN');
        assert.equal(taken.length, 1, app.stderr());
        assert.match(taken[0] as string, new RegExp(`by \\S+ \\S*holder\\.js \\(pid ${holder.child.pid}\\)`));
        await holder.stop();
        await saidWith('/metrics; observes ');
        const metrics = await app.metrics();
        assert.equal(metrics.counts(INNER)[0]?.count, 1, 'what came before is counted');
        assert.equal(said().filter((line) => line.includes('CHX_PORT_TAKEN')).length, 1);
      });
    } finally {
      await holder.stop();
    }
  });
});
