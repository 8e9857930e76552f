/** Each pitfall is brought about for real, and the doctor finds it and nothing else that loses measurements. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { PITFALLS } from '../../../src/cli/doctor/pitfalls';
import { RUN_PITFALLS } from '../../../src/cli/doctor/run-pitfalls';
import { openBundles } from '../../support/bundle';
import { type ApplicationFolder, makeApplication, runCommand } from '../../support/command';
import { ROOT } from '../../support/paths';
import { startProgram } from '../../support/program';
import { PRELOAD_PATH } from '../../support/service';
import { freePort, until } from '../../support/waiting';

interface Report {
  readonly code: number | null;
  readonly ok: boolean;
  readonly found: readonly { name: string; isLoss: boolean; text: string; mend: string }[];
  readonly application: { code: { models: string[] }; packages: { name: string; version: string; range: string }[] };
  readonly observed?: {
    requests: unknown[];
    sources: string[];
    processes: number;
    wasKilled: boolean;
    ended?: { code: number };
  };
}

type Env = Readonly<Record<string, string | undefined>>;

/** Of no other program on this machine: tests run beside each other. */
let services = 0;
const freeSyscode = () => `D7${process.pid % 1e5}`.padEnd(7, '0') + String(services++).padStart(3, '0');
const START = { scripts: { start: 'node -r channel-exporter/register app.js' } };
const linux = { skip: process.platform !== 'linux' && 'what other processes do is known on Linux alone' };

const applications: ApplicationFolder[] = [];
const met = new Set<string>();

function make(files: Readonly<Record<string, string | object>>, packages: readonly string[] = []): ApplicationFolder {
  const application = makeApplication({ 'package.json': START, ...files }, packages);
  applications.push(application);
  return application;
}

/** File by which a program reports that it has done everything. */
const DONE = 'done';

/** A run lasts until its program has written {@link DONE}. */
async function doctor(folder: string, env: Env = {}, args: readonly string[] = []): Promise<Report> {
  const all = { SYSCODE: freeSyscode(), CHANNEL_EXPORTER_PORT: String(await freePort()), ...env };
  const { code, stdout, stderr } = await runCommand(['doctor', '--json', ...args], { env: all, cwd: folder }, () =>
    existsSync(join(folder, DONE)),
  );
  assert.ok(code === 0 || code === 1, stderr);
  const report = { code, ...(JSON.parse(stdout) as Omit<Report, 'code'>) };
  for (const { name } of report.found) met.add(name);
  return report;
}

/** That nothing loses measurements but what is named. */
function assertFound({ code, ok, found }: Report, name: string, text: RegExp, isLoss = true): void {
  assert.ok(
    found.some((each) => each.name === name && each.isLoss === isLoss && text.test(each.text)),
    JSON.stringify(found, null, 1),
  );
  assert.deepEqual([...new Set(found.filter((each) => each.isLoss).map((each) => each.name))], isLoss ? [name] : []);
  assert.deepEqual([code, ok], isLoss ? [1, false] : [0, true]);
}

after(() => {
  for (const { remove } of applications) remove();
});

// they wait more than they compute
describe('the doctor finds in a folder and its environment', { concurrency: 3 }, () => {
  interface Row {
    readonly name: string;
    readonly files?: Readonly<Record<string, string | object>>;
    readonly packages?: readonly string[];
    readonly env?: Env;
    readonly text: RegExp;
    readonly isNote?: true;
  }
  const dependencies = (name: string) => ({ ...START, dependencies: { [name]: '*' } });
  const rows: readonly Row[] = [
    { name: 'settings-refused', env: { CHANNEL_EXPORTER_PORT: '91 66' }, text: /^CHX_PORT_INVALID: / },
    {
      name: 'settings-refused',
      env: { SYSCODE: undefined, syscode: 'D700000001' },
      text: /The variable syscode is set; its name has to be SYSCODE/,
    },
    {
      name: 'settings-refused',
      files: { 'p.yaml': 'hosts:\n  pay.test:\n    partner: 1\n    paths: { "/a/{id}": 2 }\n' },
      env: { CHANNEL_EXPORTER_PARTNERS: 'p.yaml' },
      text: /^CHX_PARTNER_PATTERN: p\.yaml:4:14: .* Write \/a\/:id\./,
    },
    {
      name: 'variable-without-effect',
      env: { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'expres' },
      text: /"expres"\. Did you mean express\?/,
    },
    {
      name: 'partner-spelling',
      files: { 'p.json': '{ "hosts": { "pay.test": { "partner": 1, "paths": { "/pay/": 2 } } } }' },
      env: { CHANNEL_EXPORTER_PARTNERS: 'p.json' },
      text: /^CHX_PARTNER_PATH: p\.json:1:53: /,
    },
    {
      name: 'other-boundaries',
      env: { CHANNEL_EXPORTER_INNER_METRICS_BUCKETS: '5,10' },
      text: /has boundaries of its own/,
      isNote: true,
    },
    { name: 'switched-off', env: { OTEL_SDK_DISABLED: 'true' }, text: /OTEL_SDK_DISABLED is true/ },
    {
      name: 'preload-without-register',
      files: { 'package.json': { scripts: { start: 'node -r channel-exporter app.js' } } },
      text: /^scripts\.start: -r channel-exporter loads the API alone/,
    },
    {
      name: 'preload-without-register',
      files: { Dockerfile: 'FROM node\nENV NODE_OPTIONS="--import channel-exporter"\n' },
      text: /^Dockerfile:2: /,
    },
    { name: 'no-preload-seen', files: { 'package.json': {} }, text: /neither/, isNote: true },
    {
      name: 'start-with-text',
      files: {
        'src/app.js': `/* start('A123010101')\n*/ const { start } = require('channel-exporter');\n// start('B123010101')\nstart('D700000001');`,
      },
      text: /^src\/app\.js:4: start\('D700000001'\) /,
    },
    {
      name: 'source-switched-off',
      files: { 'package.json': dependencies('express') },
      packages: ['express'],
      env: { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'http,http2' },
      text: /^express is installed, and not observed: http is off by OTEL_NODE_DISABLED_INSTRUMENTATIONS/,
    },
    {
      name: 'version-not-observed',
      files: {
        'package.json': dependencies('broker'),
        'node_modules/broker/package.json': { name: 'nats', version: '1.4.12' },
      },
      text: /^nats 1\.4\.12 is not observed, versions 2 from 2\.8 are/,
    },
    {
      name: 'package-not-observed',
      files: {
        'package.json': dependencies('bee-queue'),
        'node_modules/bee-queue/package.json': { name: 'bee-queue', version: '1.0.0' },
      },
      text: /^bee-queue 1\.0\.0 is not observed/,
      isNote: true,
    },
    {
      name: 'registry-not-served',
      files: { 'package.json': dependencies('prom-client') },
      packages: ['prom-client'],
      text: /prom-client is not on this scrape/,
      isNote: true,
    },
    {
      name: 'otlp-exporter-missing',
      env: { OTEL_METRICS_EXPORTER: 'otlp' },
      text: /^CHX_EXPORTER_MISSING: /,
    },
    {
      name: 'two-copies',
      files: { 'node_modules/channel-exporter/package.json': { name: 'channel-exporter', version: '0.0.9' } },
      text: /the application has channel-exporter 0\.0\.9/,
      isNote: true,
    },
  ];
  for (const { name, files = {}, packages, env, text, isNote } of rows) {
    it(`${name}: ${text.source}`, async () => {
      assertFound(await doctor(make(files, packages).folder, env), name, text, isNote !== true);
    });
  }

  for (const { minify, source, name, isLoss } of [
    { name: 'a client in a bundle', minify: false, source: "require('amqplib').connect()", isLoss: true },
    { name: 'a client in a minified bundle', minify: true, source: "require('kafkajs').Kafka", isLoss: true },
    {
      name: 'one that may be handed in',
      minify: true,
      source: "require('channel-exporter').observe(require('koa'))",
      isLoss: false,
    },
  ]) {
    it(`bundled-client: ${name}`, async () => {
      const bundles = openBundles();
      const external = ['channel-exporter'];
      const file = await bundles.make('esbuild', `console.log(${source})`, { minify, external });
      const application = make({ 'dist/main.js': readFileSync(file, 'utf8') });
      bundles.remove();
      const report = await doctor(application.folder, {}, ['--seconds', '1', '-q', '--', 'node', 'dist/main.js']);
      const found = report.found.filter((each) => each.name === 'bundled-client');
      assert.deepEqual(
        found.map((each) => each.isLoss),
        [isLoss],
      );
      assert.match(found[0]?.text ?? '', /^dist\/main\.js is a bundle with (?:amqplib|kafkajs|koa) inside/);
    });
  }

  it('port-taken: by a program that is no exporter', async () => {
    const server = createServer((_request, response) => response.end('hello')).listen(0);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const report = await doctor(make({}).folder, { CHANNEL_EXPORTER_PORT: String(port) });
    server.close();
    assertFound(report, 'port-taken', new RegExp(`^port ${port} is taken by something that is no exporter`));
    if (process.platform === 'linux') assert.match(report.found[0]?.text ?? '', new RegExp(`by pid ${process.pid} `));
  });

  it('syscode-in-two-applications, and a port that the exporter of another has', linux, async () => {
    const script = "require('http').createServer().listen(0)";
    const other = make({ 'app.js': script, 'package.json': { name: 'other' } });
    const port = String(await freePort());
    const SYSCODE = freeSyscode();
    const env = { SYSCODE, CHANNEL_EXPORTER_PORT: port, TMPDIR: other.folder, XDG_RUNTIME_DIR: undefined };
    const program = startProgram({ args: ['-r', PRELOAD_PATH, 'app.js'], cwd: other.folder, env });
    try {
      await until(() => program.stderr().includes(`:${port}/metrics;`), program.output);
      const text = new RegExp(`^${SYSCODE} is the system code of another program too, pid ${program.child.pid} in `);
      assertFound(await doctor(make({}).folder, { SYSCODE }), 'syscode-in-two-applications', text);
      const taken = await doctor(make({}).folder, { CHANNEL_EXPORTER_PORT: port });
      assertFound(taken, 'port-taken', new RegExp(`^port ${port} is taken by the exporter of ${SYSCODE}`));
      const itself = await doctor(other.folder, { SYSCODE, CHANNEL_EXPORTER_PORT: port });
      assert.equal(itself.ok, true, JSON.stringify(itself.found));
    } finally {
      await program.stop();
    }
  });

  it('nothing in an application that is well', async () => {
    const application = make(
      {
        'package.json': { ...START, dependencies: { express: '*' } },
        'app.js': "require('node:cluster'); require('express');",
        Dockerfile: 'CMD PASSWORD=topsecret node -r channel-exporter/register app.js',
      },
      ['express'],
    );
    const report = await doctor(application.folder);
    assert.deepEqual(report.found, []);
    assert.doesNotMatch(JSON.stringify(report), /topsecret/);
    assert.deepEqual([report.code, report.application.code.models], [0, ['cluster']]);
    const { version } = JSON.parse(readFileSync(join(ROOT, 'node_modules/express/package.json'), 'utf8'));
    const express = report.application.packages.find(({ name }) => name === 'express');
    assert.deepEqual([express?.version, express?.range], [version, '4 to 5']);
  });
});

// they wait more than they compute
describe('the doctor finds in a run', { concurrency: 3 }, () => {
  const RUN = ['-q', '--seconds', '120', '--', process.execPath];
  /** Scrapes until something is there, and says then that all is done. */
  const DONE_WHEN = `
    const doneWhen = async (isThere) => {
      const url = 'http://127.0.0.1:' + process.env.CHANNEL_EXPORTER_PORT + '/metrics';
      for (let text = ''; !isThere(text); ) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        text = await fetch(url).then((response) => response.text(), () => '');
      }
      require('fs').writeFileSync('${DONE}', '');
    };`;
  const SERVICE = `${DONE_WHEN}
    const http = require('http');
    const app = require('express')();
    app.get('/orders/:id', (request, response) => response.json({ code: '0' }));
    app.get('/gone/:id', (request, response) => response.status(404).end());
    const lookup = (name, options, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]);
    app.listen(0, function () {
      const { port } = this.address();
      const get = (url) => http.get(url, { lookup }, (response) => response.resume()).on('error', () => undefined);
      for (const path of ['/orders/1', '/orders/2', '/gone/1']) get('http://localhost:' + port + path);
      for (const url of process.argv.slice(2)) get(url.replace('PORT', port));
      doneWhen((text) => /_inner_metrics_count\\{.*\\} 2\\n/.test(text) && text.includes('reason="not_found"} 1\\n'));
    });`;
  const partners = { hosts: { 'pay.test': { partner: '12', paths: { '/pay': '1201' } } } };

  it('what an application shows, hosts without an entry and routes that answer 404', async () => {
    const application = make(
      {
        'app.js': SERVICE,
        'p.json': partners,
        'package.json': { ...START, dependencies: { express: '*', koa: '*' } },
      },
      ['express', 'koa'],
    );
    const env = { CHANNEL_EXPORTER_PARTNERS: 'p.json' };
    const args = [...RUN, 'app.js', 'http://ship.test:PORT/x'];
    const report = await doctor(application.folder, env, args);
    assertFound(report, 'partner-not-met', /^calls to "ship\.test" are not recorded: no partner entry/, false);
    assertFound(report, 'partner-not-met', /^no call has met some entries of the partner file: host 1, path 1$/, false);
    assertFound(report, 'matched-route-not-recorded', /: 1$/, false);
    assertFound(report, 'installed-and-not-observed', /^koa is installed, and koa has found nothing/, false);
    assert.deepEqual(report.observed?.requests, [{ name: '/orders/:id', count: 2 }]);
    assert.ok(report.observed?.sources.includes('express'));
    assert.deepEqual([report.observed?.processes, report.observed?.ended], [1, undefined]);
  });

  it('all of this behind TLS and a password, by a scrape that needs neither', async () => {
    const web = 'tls_server_config:\n  cert_file: none.crt\n  key_file: none.key\nbasic_auth_users:\n  ann: none\n';
    const application = make({ 'app.js': SERVICE, 'web.yaml': web }, ['express']);
    const env = { CHANNEL_EXPORTER_WEB_CONFIG_FILE: 'web.yaml' };
    const report = await doctor(application.folder, env, [...RUN, 'app.js']);
    assert.deepEqual(report.observed?.requests, [{ name: '/orders/:id', count: 2 }]);
    assert.doesNotMatch(JSON.stringify(report.found), /nothing-served|CHX_WEB_CONFIG_REFUSED/);
  });

  it('a partner host that is called on a port which its entry has not', async () => {
    const application = make({ 'app.js': SERVICE, 'p.json': partners }, ['express']);
    const env = { CHANNEL_EXPORTER_PARTNERS: 'p.json' };
    const report = await doctor(application.folder, env, [...RUN, 'app.js', 'http://pay.test:PORT/pay']);
    assertFound(report, 'logged-in-the-run', /^CHX_PARTNER_PORT: .*Add an entry or alias "pay\.test:\d+"\./);
  });

  it('a cluster, as one service of several processes', async () => {
    const script = `${DONE_WHEN}
      const cluster = require('cluster');
      if (cluster.isPrimary) {
        cluster.fork();
        cluster.fork();
        const each = /^channel_exporter_processes\\{.*\\} (\\d+)$/gm;
        doneWhen((text) => [...text.matchAll(each)].reduce((sum, [, count]) => sum + Number(count), 0) >= 3);
      }
      else require('http').createServer().listen(0);`;
    const report = await doctor(make({ 'app.js': script }).folder, {}, [
      '-q',
      '--seconds',
      '4',
      ...RUN.slice(3),
      'app.js',
    ]);
    assertFound(report, 'no-request-seen', /^no request was recorded/, false);
    assert.ok((report.observed?.processes ?? 0) >= 3, JSON.stringify(report.observed));
  });

  it('a program without a server, whose port opens later', async () => {
    const report = await doctor(make({ 'app.js': 'setInterval(() => {}, 1000)' }).folder, {}, [
      '-q',
      '--seconds',
      '2',
      ...RUN.slice(3),
      'app.js',
    ]);
    assertFound(report, 'nothing-served', /neither listened nor measured in 2 s/);
    assert.match(report.found.find(({ isLoss }) => isLoss)?.mend ?? '', /opens after 10 s: run it with --seconds 15/);
  });

  it('a command that fails, and one that is not there', async () => {
    const failing = await doctor(make({ 'app.js': 'process.exit(3)' }).folder, {}, [...RUN, 'app.js']);
    assert.ok(failing.found.some(({ name, text }) => name === 'command-failed' && /with code 3$/.test(text)));
    const missing = await doctor(make({}).folder, {}, ['--seconds', '60', '--', './not-there']);
    assertFound(missing, 'command-failed', /^the command cannot be started: .*ENOENT/);
  });

  it('no program left when it has ended, however stubborn, and no directory of its own', async () => {
    const application = make({
      'app.js': `
        const { spawn } = require('child_process');
        const fs = require('fs');
        const child = spawn(process.execPath, ['-e', "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"]);
        fs.writeFileSync('seen', child.pid + ' ' + process.pid + ' ' + process.env.TMPDIR);
        process.on('SIGTERM', () => {});
        require('http').createServer().listen(0, () => fs.writeFileSync('${DONE}', ''));`,
    });
    const report = await doctor(application.folder, {}, [...RUN, 'app.js']);
    assert.equal(report.observed?.wasKilled, true);
    const [child, main, world = ''] = readFileSync(application.at('seen'), 'utf8').split(' ');
    for (const pid of [child, main]) {
      await until(() => !isRunning(Number(pid)), `process ${pid} has ended`, 5_000);
    }
    assert.match(world, /chx-doctor-/);
    assert.equal(existsSync(world), false);
  });

  it('what the program writes, on stderr, and nothing of it on stdout', async () => {
    const application = make({ 'app.js': "console.log('out'); console.error('err'); setTimeout(() => {}, 500)" });
    const args = ['doctor', '--seconds', '120', '--', process.execPath, 'app.js'];
    const env = { SYSCODE: freeSyscode(), CHANNEL_EXPORTER_PORT: String(await freePort()) };
    const { stdout, stderr } = await runCommand(args, { env, cwd: application.folder });
    assert.deepEqual(stderr.split('\n').sort(), ['', 'err', 'out']);
    assert.doesNotMatch(stdout, /^(?:out|err)$/m);
    assert.match(stdout, /^\d+ mistakes? that may lose measurements, \d+ notes?\n/);
  });
});

describe('the tests of the doctor', () => {
  it('have brought about every pitfall but that of an old Node', () => {
    const missing = [...PITFALLS, ...RUN_PITFALLS].map(({ name }) => name).filter((name) => !met.has(name));
    assert.deepEqual(
      missing,
      process.platform === 'linux' ? ['node-too-old'] : ['node-too-old', 'syscode-in-two-applications'],
    );
  });
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // ended, and not yet waited for
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
