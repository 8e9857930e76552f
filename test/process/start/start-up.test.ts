/** What a process has loaded under the preload: nothing that it does not use. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { environment, nodeBinary } from '../../support/app';
import { ROOT } from '../../support/paths';

/** What is in memory when a program has run: files of packages and of ours, and modules of Node's own. */
interface Loaded {
  readonly files: readonly string[];
  readonly builtins: readonly string[];
  readonly stderr: string;
}

/** An empty JSON object, packed by gzip. */
const PACKED = gzipSync('{}').toString('hex');
const PRELOAD = ['-r', 'channel-exporter/register'];
const SHOW = `
process.once('exit', () => console.log(JSON.stringify({
  files: Object.keys(require.cache).map((file) => file.replaceAll('\\\\', '/')),
  builtins: process.moduleLoadList.map((line) => line.replace(/^NativeModule /, '')),
})));`;

/** Sources of packages, and the package whose loading calls for each. */
const PACKAGES = {
  'consumers/amqplib': 'amqplib',
  'consumers/kafkajs': 'kafkajs',
  'consumers/bullmq': 'bullmq',
  'consumers/bull': 'bull',
  'consumers/pg-boss': 'pg-boss',
  'consumers/agenda': 'agenda',
  'consumers/mqtt': 'mqtt',
  'consumers/nats': 'nats',
  'consumers/jobs/node-cron': 'node-cron',
  'consumers/jobs/croner': 'croner',
  'consumers/jobs/cron': 'cron',
  'consumers/jobs/nestjs-schedule': '@nestjs/schedule',
  'frameworks/koa': 'koa',
  'frameworks/hapi': '@hapi/hapi',
  'frameworks/hono': 'hono',
  'frameworks/h3': 'old-h3',
};
/** Files of ours that a plain run loads. */
const MAX_FILES = 34;
/** Files of ours that may be loaded to find out that the exporter is switched off. */
const MAX_FILES_OFF = 10;
/** Those of a launcher. */
const MAX_FILES_LAUNCHER = 4;
/** What measures, in one file, and what reads bodies and partner files. */
const MEASURING = 'bundles/measuring';
const READING = 'bundles/reading';
/** A first use, so that the start line is logged. */
const LISTENS = "require('net').createServer().listen(0, function () { this.close() });";
/** Modules of Node's own that cost time to load. */
const HEAVY_BUILTINS = ['http', 'http2', 'net', 'zlib'];

function loadedBy(script: string, env: Readonly<Record<string, string>> = {}, nodeArgs = PRELOAD): Loaded {
  const { stdout, stderr, status } = spawnSync(nodeBinary(), [...nodeArgs, '-e', SHOW + script], {
    cwd: ROOT,
    env: environment(env),
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  return { ...JSON.parse(stdout), stderr };
}

/** Whether anything of a room is among those loaded. @param room a folder of dist, or a file without its suffix */
function has({ files }: Loaded, room: string): boolean {
  return files.some((file) => file.includes(`/dist/${room}.js`) || file.includes(`/dist/${room}/`));
}

/** That nothing is loaded but a few files of ours, none of which measures. */
function assertFew(loaded: Loaded, maxFiles: number): void {
  const ours = loaded.files.filter((file) => file.includes('/dist/'));
  assert.ok(ours.length > 0 && ours.length <= maxFiles, ours.join('\n'));
  assert.deepEqual(
    loaded.files.filter((file) => file.includes('/node_modules/') && !ours.includes(file)),
    [],
  );
  assert.ok(!has(loaded, 'bundles'));
  assert.deepEqual(
    HEAVY_BUILTINS.filter((name) => loaded.builtins.includes(name)),
    [],
  );
}

describe('a process under the preload', () => {
  let folder: string;
  let partners: string;
  let idle: Loaded;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'start-up-'));
    partners = join(folder, 'partners.yaml');
    writeFileSync(partners, 'hosts: {}\n');
    idle = loadedBy('');
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('observes what every service has', () => {
    assert.match(loadedBy(LISTENS).stderr, /observes http, undici, http2;/);
    assert.ok(has(idle, 'src/instrumentations/inbound'));
    assert.ok(has(idle, 'src/instrumentations/outbound'));
  });

  for (const [source, name] of Object.entries(PACKAGES)) {
    it(`loads the source of ${source} with the package and not before`, () => {
      assert.ok(!has(idle, `src/instrumentations/${source}`));
      assert.ok(has(loadedBy(`require(${JSON.stringify(name)});process.exit()`), `src/instrumentations/${source}`));
    });
  }

  it('loads what consumed messages share with the first client', () => {
    assert.ok(!has(idle, 'src/instrumentations/consumers'));
    assert.ok(has(loadedBy(`require('amqplib')`), 'src/instrumentations/consumers'));
  });

  it('loads the parser of YAML with a partner file and not without', () => {
    const isYaml = (file: string) => file.includes('/node_modules/yaml/');
    assert.ok(!idle.files.some(isYaml));
    assert.ok(loadedBy('', { CHANNEL_EXPORTER_PARTNERS: partners }).files.some(isYaml));
  });

  it('loads what measures, and OpenTelemetry with it, in few files', () => {
    const ours = idle.files.filter((file) => file.includes('/dist/'));
    assert.ok(has(idle, MEASURING));
    assert.ok(ours.length <= MAX_FILES, ours.join('\n'));
    assert.deepEqual(
      idle.files.filter((file) => file.includes('/node_modules/')),
      [],
    );
  });

  it('loads the Prometheus exporter with the first scrape', () => {
    const exporter = 'src/exporter/prometheus';
    assert.ok(!has(idle, exporter));
    const scraped = `
      const server = require('http').createServer().listen(0);
      const { port } = require('channel-exporter').start().url.match(/:(?<port>\\d+)/).groups;
      require('http').get({ port, path: '/metrics', agent: false }, (got) => {
        if (got.statusCode !== 200) throw new Error('it was not scraped');
        got.resume().on('end', () => server.close());
      });`;
    assert.ok(has(loadedBy(scraped), exporter));
  });

  it('loads node:zlib with the first packed body', () => {
    assert.ok(!idle.builtins.includes('zlib'));
    const serveOne = `
      const server = require('http').createServer((_, response) => {
        response.setHeader('content-encoding', 'gzip').end(Buffer.from('${PACKED}', 'hex'), () => server.close());
      }).listen(0, () => require('http').get({ port: server.address().port, agent: false }, (got) => got.resume()));`;
    assert.ok(loadedBy(serveOne).builtins.includes('zlib'));
  });

  it('loads node:http2 only where its sources are switched on', () => {
    assert.ok(idle.builtins.includes('http2'));
    const without = loadedBy(LISTENS, { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'http2' });
    assert.ok(!without.builtins.includes('http2'));
    assert.match(without.stderr, /observes http, undici;/);
  });

  for (const [name, value] of [
    ['OTEL_SDK_DISABLED', 'true'],
    ['OTEL_METRICS_EXPORTER', 'none'],
  ] as const) {
    it(`loads a handful of small files of ours and nothing else where ${name} is ${value}`, () => {
      const loaded = loadedBy('', { [name]: value });
      assert.equal(loaded.stderr, '');
      assertFew(loaded, MAX_FILES_OFF);
    });
  }

  it('loads neither what observes nor what reads partner files with the API alone', () => {
    const loaded = loadedBy("require('channel-exporter')", {}, []);
    assert.ok(!has(loaded, MEASURING) && !has(loaded, READING) && !has(loaded, 'src/compose'));
    assert.ok(!loaded.builtins.includes('http'));
    const withSpans = loadedBy("require('channel-exporter').channelSpanHooks()", {}, []);
    assert.ok(has(withSpans, READING) && !has(withSpans, MEASURING));
  });

  it('loads less still where it is a launcher', () => {
    const launcher = join(folder, 'nodemon');
    writeFileSync(launcher, SHOW);
    const { stdout } = spawnSync(nodeBinary(), [...PRELOAD, launcher], {
      cwd: ROOT,
      env: environment(),
      encoding: 'utf8',
    });
    const loaded = JSON.parse(stdout) as Loaded;
    assertFew(loaded, MAX_FILES_LAUNCHER);
    assert.ok(!loaded.builtins.includes('worker_threads'));
  });
});
