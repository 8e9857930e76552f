/**
 * docs/ten-minutes.md, typed as it stands: from the tarball in an empty folder to an alert and a dashboard's queries.
 *
 * The files and commands are the page's own blocks, and what each command must show is the block below it. Changed are the
 * name of the package to its tarball, the three ports to free ones, and `prometheus` to the one that is found.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { nodeBinary } from '../../support/app';
import { findDebianProgram, reportNotRun } from '../../support/debian';
import { PROMETHEUS } from '../../support/operations';
import { openWorkshop, type Workshop } from '../../support/packed';
import { ROOT } from '../../support/paths';
import { type Program, startProgram } from '../../support/program';
import { freePort, until } from '../../support/waiting';

const MOST_COMMANDS = 10;
const COMMAND_LIMIT_MS = 180_000;
/** Of the page's prometheus.yml. */
const EVALUATE_EVERY_S = 5;
/** curl's own, for a connection that ends without an answer. */
const EMPTY_REPLY = 52;
const PORTS = [3000, 9166, 9090] as const;
/** Begins the line with a command's exit status. */
const MARK = '--- ended with ';

interface Block {
  readonly language: string;
  readonly text: string;
}

const PAGE = readFileSync(join(ROOT, 'docs/ten-minutes.md'), 'utf8');
const BLOCKS: readonly Block[] = Array.from(
  PAGE.matchAll(/^```(\w+)\n(.*?)^```$/gms),
  ([, language = '', text = '']) => ({ language, text }),
);
const COMMANDS = BLOCKS.filter(({ language }) => language === 'sh').flatMap(({ text }) => text.trimEnd().split('\n'));
/** By the name in their first line. */
const FILES = BLOCKS.flatMap(({ text }) => {
  const name = /^(?:\/\/|#) (\S+\.\w+)\n/.exec(text)?.[1];
  return name === undefined ? [] : [{ name, text }];
});

/** What the page shows below the command that begins so. */
function shownBelow(command: string): string[] {
  const at = BLOCKS.findIndex(({ language, text }) => language === 'sh' && text.includes(command));
  const next = BLOCKS[at + 1];
  assert.equal(next?.language, 'text', `nothing is shown below ${command}`);
  return (next as Block).text.trimEnd().split('\n');
}

/** Without what differs from run to run: ports, the version of curl, quantiles, and values of queries. */
const lasting = (line: string) =>
  line
    .replace(/localhost:\d+/, 'localhost')
    .replace(/curl\/[\d.]+/, 'curl')
    .replace(/^( +\d+) .*? (?=f_code=)/, '$1 ')
    .replace(/ = \d[^,]*/g, '');

interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly state: string;
  readonly activeAt: string;
}

describe('docs/ten-minutes.md', () => {
  let workshop: Workshop;
  let folder: string;
  let bash: Program;
  let missing: string | undefined;
  let prometheusPath = 'prometheus';
  const port = new Map<number, number>();
  const url = (shownPort: (typeof PORTS)[number], path = '') => `http://localhost:${port.get(shownPort)}${path}`;
  const remaining = [...COMMANDS];

  const adapted = (text: string) =>
    text
      .replace(/^(npm install )channel-exporter(?= )/, `$1${workshop.tarball}`)
      .replace(/^prometheus(?= )/, prometheusPath)
      .replace(/\b(?:3000|9166|9090)\b/g, (shown) => String(port.get(Number(shown))));

  /** Types the next command of the page, which is to begin so, and waits for its end. */
  async function type(beginning: string): Promise<{ status: number; stdout: string; stderr: string }> {
    const command = remaining.shift() ?? 'nothing';
    assert.ok(command.startsWith(beginning), `next is ${command}, not ${beginning}`);
    const from = { stdout: bash.stdout().length, stderr: bash.stderr().length };
    // one line, so that no command can read what follows it
    bash.child.stdin?.write(`eval '${adapted(command).replaceAll("'", "'\\''")}'; printf '\\n${MARK}%s\\n' $?\n`);
    const end = () => new RegExp(`\\n${MARK}(\\d+)\\n`).exec(bash.stdout().slice(from.stdout));
    await until(
      () => end() !== null,
      () => `${command}\n${bash.output()}`,
      COMMAND_LIMIT_MS,
    );
    const { 1: status, index } = end() as RegExpExecArray;
    const stdout = bash.stdout().slice(from.stdout, from.stdout + index);
    return { status: Number(status), stdout, stderr: bash.stderr().slice(from.stderr) };
  }

  async function ask<Data>(path: string): Promise<Data> {
    const response = await fetch(url(9090, path));
    return ((await response.json()) as { data: Data }).data;
  }
  /** Samples of the processes that were lost, as Prometheus scraped them: seconds since 1970, and the value. */
  async function lostProcesses(): Promise<[number, string][]> {
    const query = encodeURIComponent('channel_exporter_processes{state="lost"}[5m]');
    const { result } = await ask<{ result: { values: [number, string][] }[] }>(`/api/v1/query?query=${query}`);
    return result[0]?.values ?? [];
  }
  const workerKilled = async () =>
    (await ask<{ alerts: Alert[] }>('/api/v1/alerts')).alerts.find(
      ({ labels, state }) => labels.alertname === 'ChannelWorkerKilled' && state === 'firing',
    );

  function withPrometheus(title: string, check: (t: TestContext) => Promise<void>): void {
    it(title, (t) => (missing === undefined ? check(t) : reportNotRun(t, missing)));
  }

  before(async () => {
    const found = await findDebianProgram(PROMETHEUS);
    if ('missing' in found) missing = found.missing;
    else prometheusPath = found.path;
    workshop = await openWorkshop();
    for (const shown of PORTS) port.set(shown, await freePort());
    folder = join(workshop.folder, 'empty');
    mkdirSync(folder);
    bash = startProgram({
      command: 'bash',
      args: ['--noprofile', '--norc'],
      cwd: folder,
      env: {
        SYSCODE: undefined,
        CHANNEL_EXPORTER_PORT: String(port.get(9166)),
        PATH: `${dirname(nodeBinary())}${delimiter}${process.env.PATH}`,
        npm_config_prefer_offline: 'true',
        npm_config_audit: 'false',
      },
      hasInput: true,
      isGroup: true,
    });
  });

  after(async () => {
    await bash?.stop();
    workshop?.remove();
  });

  it('has at most ten commands, of one line each, and two files', () => {
    assert.ok(COMMANDS.length <= MOST_COMMANDS, `${COMMANDS.length} commands`);
    assert.deepEqual(
      FILES.map(({ name }) => name),
      ['app.js', 'prometheus.yml'],
    );
    for (const command of COMMANDS) assert.doesNotMatch(command, /&&|\|\||\\$/);
  });

  it('installs the package in an empty folder', async () => {
    for (const { name, text } of FILES) writeFileSync(join(folder, name), adapted(text));
    assert.equal((await type('npm init')).status, 0);
    const { status, stderr } = await type('npm install channel-exporter express');
    assert.equal(status, 0, stderr);
    assert.ok(existsSync(join(folder, 'node_modules/channel-exporter/package.json')));
  });

  it('starts the service, whose exporter says the line that is shown', async () => {
    const [line = ''] = shownBelow('SYSCODE=');
    assert.equal((await type('SYSCODE=')).status, 0);
    await until(
      () => bash.stderr().split('\n').map(lasting).includes(lasting(line)),
      () => `${line}\n${bash.output()}`,
    );
  });

  it('sends requests, and gets the answers that are shown', async () => {
    const { status, stdout } = await type('for order');
    assert.equal(status, 0);
    assert.deepEqual(stdout.split('\n'), shownBelow('for order'));
  });

  it('has a page for a browser, with the route, its codes and three processes', async () => {
    const response = await fetch(url(9166, '/'));
    assert.equal(response.status, 200);
    assert.match(response.headers.get('content-type') ?? '', /^text\/html/);
    assert.match(response.headers.get('content-security-policy') ?? '', /default-src 'none'/);
    const details = await (await fetch(url(9166, '/metrics?details'))).text();
    assert.match(details, /^A123010101_inner_metrics_count\{.*path="\/orders\/:id",.*code="1001",.*\} 2$/m);
    assert.match(details, /^channel_exporter_observed_total\{.*source="express"\} [1-9]/m);
    assert.match(details, /^channel_exporter_setting_info\{/m);
    assert.equal([...details.matchAll(/^process_resident_memory_bytes\{/gm)].length, 3);
  });

  it('shows the metrics in the shell', async () => {
    const { status, stdout, stderr } = await type('npx channel-exporter scrape');
    assert.equal(status, 0, stderr);
    const lines = stdout.trimEnd().split('\n').map(lasting);
    assert.deepEqual(lines, shownBelow('npx channel-exporter').map(lasting));
  });

  withPrometheus('starts Prometheus, which takes the rules and scrapes the service', async () => {
    assert.equal((await type('prometheus')).status, 0);
    await until(
      async () => (await lostProcesses().catch(() => [])).length > 0,
      () => `Prometheus has not scraped:\n${bash.stderr()}`,
    );
    assert.deepEqual(new Set((await lostProcesses()).map(([, value]) => value)), new Set(['0']));
    // Debian's would write below /var, and find there what an earlier run has left
    assert.ok(existsSync(join(folder, 'data/wal')), 'the data are in the folder');
  });

  withPrometheus('raises an alert within two evaluations of the scrape after a worker was killed', async () => {
    const { status, stderr } = await type('curl -sS localhost:3000/crash');
    assert.equal(status, EMPTY_REPLY);
    assert.match(stderr, /Empty reply from server/);
    await until(async () => (await workerKilled()) !== undefined, 'ChannelWorkerKilled fires');
    const seen = (await lostProcesses()).find(([, value]) => value === '1')?.[0] ?? Number.NaN;
    const fired = Date.parse((await workerKilled())?.activeAt ?? '') / 1000;
    assert.ok(fired - seen <= 2 * EVALUATE_EVERY_S, `seen at ${seen}, fired at ${fired}`);

    const { stdout } = await type('curl -s localhost:9090/api/v1/alerts');
    assert.match(stdout, /"alertname":"ChannelWorkerKilled".*"state":"firing"/);
  });

  withPrometheus('asks the queries of a dashboard, and shows rows as on the page', async () => {
    const { status, stdout } = await type('node node_modules/channel-exporter/ops/query-dashboard.mjs');
    assert.equal(status, 0, stdout);
    const lines = stdout.trimEnd().split('\n').map(lasting);
    const shown = shownBelow('query-dashboard.mjs').map(lasting);
    assert.deepEqual(lines.slice(0, shown.length), shown);
    // a route, a status, codes and durations: each has a row
    assert.deepEqual(
      lines.filter((line) => / (-|FAILED.*)$/.test(line)),
      [],
    );
  });

  withPrometheus('ends all of it', async () => {
    assert.equal((await type('kill')).status, 0);
    for (const shown of PORTS) {
      const isClosed = () =>
        fetch(url(shown)).then(
          () => false,
          () => true,
        );
      await until(isClosed, () => `port ${shown} is still open:\n${bash.output()}`);
    }
    assert.deepEqual(remaining, []);
  });
});
