/** PM2 in cluster and fork mode, with its own daemon in a world of its own. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { environment, INNER, nodeBinary } from '../../support/app';
import type { Metrics } from '../../support/metrics';
import { openReceiver } from '../../support/otlp';
import { ROOT } from '../../support/paths';
import {
  ask,
  countOf,
  openWorld,
  PRELOAD_PATH,
  PROGRAMS,
  send,
  stateOf,
  until,
  type World,
} from '../../support/service';

const run = promisify(execFile);
const PM2 = 'pm2@7.0.4';
const INSTALL_LIMIT_MS = 180_000;
const PROCESSES = 'channel_exporter_processes';
const INSTANCES = 3;
const REQUESTS = 30;
/** Of the application's own: a counter and a histogram. */
const ORDERS = 'orders_total';
const WAITS = 'wait_seconds';

function sumOf({ samples }: Metrics, name: string): number {
  return samples.filter((sample) => sample.name === name).reduce((sum, { value }) => sum + value, 0);
}

/** Whether a process listens on a port. */
function listens(pid: number, port: number): boolean {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const LISTEN = '0A';
  const lines = ['tcp', 'tcp6'].flatMap((table) => readFileSync(`/proc/net/${table}`, 'utf8').split('\n'));
  const sockets = lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, address = '', , state]) => address.endsWith(local) && state === LISTEN)
    .map((fields) => `socket:[${fields[9]}]`);
  return readdirSync(`/proc/${pid}/fd`).some((fd) => sockets.includes(linkOf(`/proc/${pid}/fd/${fd}`)));
}

/** A descriptor may be closed meanwhile. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

// its licence keeps PM2 out of this project's own dependencies
describe('PM2', () => {
  let world: World;
  let pm2: (...args: string[]) => Promise<void>;
  let appPort = 0;

  before(async () => {
    world = await openWorld();
    const cwd = world.folder;
    writeFileSync(join(cwd, 'package.json'), JSON.stringify({ name: 'app', private: true, version: '1.0.0' }));
    const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline', '--no-package-lock'];
    await run('npm', ['install', ...flags, PM2], { cwd, timeout: INSTALL_LIMIT_MS });
    cpSync(join(PROGRAMS, 'service.js'), join(cwd, 'service.js'));
    cpSync(join(PROGRAMS, 'own-metrics.js'), join(cwd, 'own-metrics.js'));
    symlinkSync(ROOT, join(cwd, 'node_modules/channel-exporter'));
    symlinkSync(join(ROOT, 'node_modules/prom-client'), join(cwd, 'node_modules/prom-client'));
    // a free port, found by the world of the other port
    const other = await openWorld();
    appPort = other.port;
    await other.end();
    const env = environment({
      SYSCODE: undefined,
      CHANNEL_EXPORTER_PORT: undefined,
      TMPDIR: cwd,
      XDG_RUNTIME_DIR: undefined,
      PM2_HOME: join(cwd, 'pm2'),
      // the CLI and the daemon are preloaded too, and stay out
      NODE_OPTIONS: `-r ${PRELOAD_PATH}`,
    });
    pm2 = async (...args) => {
      await run(nodeBinary(), [join(cwd, 'node_modules/pm2/bin/pm2'), ...args], { cwd, env });
    };
  });

  after(async () => {
    await pm2('kill');
    await world.end();
  });

  /** Waits for PM2 to serve on the application's port. */
  const served = () =>
    until(
      () =>
        ask(appPort, '/y').then(
          () => true,
          () => false,
        ),
      'the application does not answer',
    );

  const membersAre = (count: number) =>
    world.scrapeWhen(
      (seen) =>
        stateOf(seen, PROCESSES, { state: 'hub' }) === 1 && stateOf(seen, PROCESSES, { state: 'member' }) === count,
    );

  /** Kills an instance that is not the hub, and waits for PM2 to start another. */
  const killMember = async () => {
    const readings = (await world.scrape()).samples.filter(({ name }) => name === 'process_alive');
    const killed = readings
      .map(({ labels }) => Number(labels.process?.split('.')[0]))
      .find((pid) => !listens(pid, world.port));
    process.kill(killed as number, 'SIGKILL');
    await world.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'gone' }) >= 1);
    await membersAre(INSTANCES - 1);
  };

  const MODES = [
    { mode: 'cluster', instances: INSTANCES, members: INSTANCES - 1, reload: true },
    { mode: 'fork', instances: 1, members: 0, reload: false },
  ];
  for (const { mode, instances, members, reload } of MODES) {
    it(`in ${mode} mode is measured to the unit${reload ? ', and goes on without a gap when it is reloaded' : ''}`, async () => {
      const ecosystem = join(world.folder, `${mode}.config.js`);
      const application = {
        name: mode,
        script: 'service.js',
        exec_mode: mode,
        instances,
        node_args: `-r ${PRELOAD_PATH}`,
        env: { SYSCODE: 'A123010101', CHANNEL_EXPORTER_PORT: String(world.port), APP_PORT: String(appPort) },
      };
      writeFileSync(ecosystem, `module.exports = ${JSON.stringify({ apps: [application] })};`);
      await pm2('start', ecosystem);
      await served();
      await membersAre(members);
      const before = countOf(await world.scrape());
      await send(appPort, REQUESTS);
      const metrics = await world.counted(before + REQUESTS);
      assert.equal(countOf(metrics), before + REQUESTS);
      if (reload) {
        await pm2('reload', mode);
        await membersAre(members);
        const afterReload = countOf(await world.scrape());
        assert.ok(afterReload <= before + REQUESTS, 'nothing is counted twice');
        await send(appPort, REQUESTS);
        assert.equal(countOf(await world.counted(afterReload + REQUESTS)), afterReload + REQUESTS);
      }
      await pm2('delete', mode);
    });
  }

  it('runs the ecosystem of ops/deploy, each of its services under a port of its own', async () => {
    const other = await openWorld();
    const path = join(world.folder, 'ecosystem.config.js');
    const file = join(ROOT, 'ops/deploy/pm2/ecosystem.config.cjs');
    const ports = [world.port, other.port];
    // its ports may be taken here, and its services are this one
    writeFileSync(
      path,
      `const { apps } = require(${JSON.stringify(file)});
      const ports = ${JSON.stringify(ports)};
      for (const [index, app] of apps.entries()) {
        app.script = 'service.js';
        Object.assign(app.env, { CHANNEL_EXPORTER_PORT: String(ports[index]), APP_PORT: index === 0 ? ${appPort} : 0 });
      }
      module.exports = { apps };`,
    );
    await pm2('start', path);
    await served();
    await membersAre(3);
    await send(appPort, REQUESTS);
    await world.counted(REQUESTS);
    const billing = await other.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'hub' }) === 1);
    assert.ok(billing.text.includes('application="A123010102"'));
    await pm2('delete', 'all');
    await other.end();
  });

  it('has what the instances of a cluster measure themselves, to the unit', async () => {
    const ecosystem = join(world.folder, 'own.config.js');
    const application = {
      ...{ name: 'own', script: 'own-metrics.js', exec_mode: 'cluster', instances: INSTANCES },
      node_args: `-r ${PRELOAD_PATH}`,
      env: {
        ...{ SYSCODE: 'A123010101', CHANNEL_EXPORTER_PORT: String(world.port), APP_PORT: String(appPort) },
        CHANNEL_EXPORTER_PROM_CLIENT: '1',
      },
    };
    writeFileSync(ecosystem, `module.exports = ${JSON.stringify({ apps: [application] })};`);
    await pm2('start', ecosystem);
    await served();
    await membersAre(INSTANCES - 1);
    const sums = (metrics: Metrics) =>
      [ORDERS, 'orders_observed_total', `${WAITS}_count`, 'visits_total', 'waits_count'].map((name) =>
        sumOf(metrics, name),
      );
    const [before = 0] = sums(await world.scrape());
    await send(appPort, REQUESTS);
    const metrics = await world.scrapeWhen((seen) => (sums(seen)[0] ?? 0) >= before + REQUESTS);
    assert.deepEqual(sums(metrics), new Array(5).fill(before + REQUESTS));
    await pm2('delete', 'own');
  });

  it('pushes what its instances measure once, to the unit, also of those that are killed', async () => {
    const receiver = await openReceiver();
    try {
      const application = {
        ...{ name: 'pushed', script: 'own-metrics.js', exec_mode: 'cluster', instances: INSTANCES },
        node_args: `-r ${PRELOAD_PATH}`,
        env: {
          ...{ SYSCODE: 'A123010101', CHANNEL_EXPORTER_PORT: String(world.port), APP_PORT: String(appPort) },
          ...{ OTEL_METRICS_EXPORTER: 'prometheus,otlp', OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
          ...{ OTEL_METRIC_EXPORT_INTERVAL: '150' },
        },
      };
      const ecosystem = join(world.folder, 'pushed.config.js');
      writeFileSync(ecosystem, `module.exports = ${JSON.stringify({ apps: [application] })};`);
      await pm2('start', ecosystem);
      await served();
      await membersAre(INSTANCES - 1);
      // what asked whether it is served
      const first = sumOf(await world.scrape(), ORDERS);
      let sent = first;
      for (const kills of [0, 1, 2]) {
        // killed when the hub has all of it: nothing is lost, and nothing counts twice
        if (kills > 0) await killMember();
        await send(appPort, REQUESTS);
        sent += REQUESTS;
        for (const family of [INNER, ORDERS, WAITS]) assert.equal(await receiver.reaches(family, sent), sent, family);
        assert.equal(countOf(await world.counted(sent - first)), sent - first);
      }
      const instances = new Set(receiver.pushes.map(({ resource }) => resource['service.instance.id']));
      assert.equal(instances.size, 1, 'the hub alone pushes');
    } finally {
      await pm2('delete', 'pushed');
      await receiver.end();
    }
  });
});
