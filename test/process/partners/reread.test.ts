/** A large partner file that changes while the application works. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { readPartnerFile } from '../../../src/partners/file';
import { type AppOptions, runApp } from '../../support/app';
import { FIXTURES, ROOT } from '../../support/paths';
import { until } from '../../support/waiting';

const NONE = '{"hosts":{}}';

interface Version {
  readonly name: string;
  readonly text: string;
  /** What is logged of it. */
  readonly log: RegExp;
}

const hosts = (count: number, host: (n: number) => string) =>
  `{"hosts":{${Array.from({ length: count }, (_, n) => host(n)).join()}}}`;
const paths = (count: number, path: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => `"${path(n)}":"1"`).join();

/** More than is read in the application's thread, but read soon. */
const SOME_HOSTS = 500;

/** Each is as large as the limit of words and signs allows. */
const VERSIONS: readonly Version[] = [
  {
    name: 'many hosts',
    text: hosts(13_000, (n) => `"h${n}.test":{"partner":"1","paths":{"/":"1"}}`),
    log: /read again: 13000 partner hosts/,
  },
  {
    name: 'one host with many paths',
    text: hosts(1, () => `"h.test":{"partner":"1","paths":{${paths(60_000, (n) => `/${n}`)}}}`),
    log: /read again: 1 partner hosts/,
  },
  {
    name: 'many patterns',
    text: hosts(28, (n) => `"h${n}.test":{"partner":"1","paths":{${paths(1_000, (p) => `/a/b/c/${p}/:x`)}}}`),
    log: /read again: 28 partner hosts/,
  },
];

describe('a large partner file that changes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'channel-exporter-'));
  after(() => rmSync(folder, { recursive: true }));

  async function reread(file: string, { text, log }: Version, options: AppOptions = {}): Promise<number> {
    writeFileSync(file, NONE);
    const env = { CHANNEL_EXPORTER_PARTNERS: file, ...options.env };
    const app = await runApp(join(FIXTURES, 'hostile/pauses.js'), { ...options, env });
    const longestPause = async () => Number(await (await fetch(`http://127.0.0.1:${app.port}/`)).text());
    try {
      await longestPause();
      writeFileSync(file, text);
      await until(
        () => log.test(app.stderr()),
        () => `it was not read again\n${app.stderr()}`,
      );
      const startLines = app.stderr().match(/; observes /g)?.length;
      assert.equal(startLines, 1, `the preload runs in the application alone\n${app.stderr()}`);
      return await longestPause();
    } finally {
      await app.stop();
    }
  }

  for (const version of VERSIONS) {
    it(`does not keep the application waiting while it is read: ${version.name}`, async () => {
      const file = join(folder, 'partners.json');
      const pauseMs = await reread(file, version, {
        env: { NODE_OPTIONS: `--require ${join(ROOT, 'dist/register.js')}` },
        nodeArgs: [],
      });
      const startedMs = performance.now();
      readPartnerFile(file);
      const readMs = performance.now() - startedMs;
      assert.ok(pauseMs < readMs / 5, `a pause of ${pauseMs} ms, where to read the file takes ${readMs} ms`);
    });
  }

  it('is not used with a mistake, which is reported with its place', async () => {
    const text = `${hosts(SOME_HOSTS, (n) => `"h${n}.test":{"partner":"1"}`).slice(0, -2)},\n"h.test":{"partner":true}}}`;
    const log = /CHX_PARTNERS_RELOAD: [^\n]*\nCHX_PARTNER_CODE: \S*partners\.json:2:21: /;
    await reread(join(folder, 'partners.json'), { name: 'a mistake', text, log });
  });

  it('is read in the thread of the application where Node permits no other', async () => {
    const flags = process.allowedNodeEnvironmentFlags;
    const nodeArgs = [flags.has('--permission') ? '--permission' : '--experimental-permission', '--allow-fs-read=*'];
    if (flags.has('--allow-net')) nodeArgs.push('--allow-net');
    const text = hosts(SOME_HOSTS, (n) => `"h${n}.test":{"partner":"1"}`);
    const log = /read again: 500 partner hosts/;
    nodeArgs.push('-r', join(ROOT, 'dist/register.js'));
    await reread(join(folder, 'partners.json'), { name: 'some hosts', text, log }, { nodeArgs });
  });
});
